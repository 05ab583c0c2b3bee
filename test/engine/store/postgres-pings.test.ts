import { describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../../engine/store/postgres.ts';
import { agentStoreContract } from './agent-contract.ts';
import { departureContract } from './departure-contract.ts';
import { pingStoreContract } from './ping-contract.ts';
import { goodPing, newAgent, START_MS } from './ping-fixtures.ts';
import { describePostgres, openStore } from './postgres-fixtures.ts';

describePostgres('pings in PostgreSQL', (server) => {
  const open = async () => {
    const url = await server().createDatabase();
    let opened = await openPostgresStore(url);
    const other = await openPostgresStore(url);
    const { agents, pings } = opened;
    return {
      agents,
      pings,
      other,
      reopen: async () => {
        await opened.close();
        opened = await openPostgresStore(url);
        return opened;
      },
      dispose: async () => {
        await opened.close();
        await other.close();
      },
    };
  };
  agentStoreContract(open);
  departureContract(open);
  pingStoreContract(open);

  describe('that are odd', () => {
    it('go on when a state is damaged: the agent is claimed without one, and the next result mends it', async () => {
      const url = await server().createDatabase();
      const { agents, pings } = await openStore(url);
      for (const id of ['a', 'b', 'c']) await agents.add(newAgent(id, START_MS + (id === 'a' ? 0 : 1)), 10);
      await server().run(`UPDATE gpu_uptime.ping_state SET state = '{"pings":-1}' WHERE agent = 1`, url);
      await expect(server().run(`UPDATE gpu_uptime.ping_state SET state = 'notjson'`, url)).rejects.toThrow();
      await server().run(
        `UPDATE gpu_uptime.agent SET capabilities = '[7]', metadata = '{"a":null}' WHERE id = 'c'`,
        url,
      );
      const claims = await pings.claimDue(START_MS + 1, 10, 1000);
      expect(claims.map(({ state }) => state?.nextDueAtMs)).toEqual([undefined, START_MS + 1, START_MS + 1]);
      expect(claims.find(({ agent }) => agent.id === 'c')?.agent).toMatchObject({ capabilities: [], metadata: {} });
      await pings.record(claims.map((claim) => goodPing(claim, START_MS)));
      expect((await agents.find('a'))?.state?.pings).toBe(1);
    });

    it('cost nobody else his, where a text has the one character that PostgreSQL does not hold', async () => {
      const { agents, pings } = await openStore(await server().createDatabase());
      for (const id of ['a', 'b']) await agents.add(newAgent(id, START_MS), 10);
      const [odd, other] = (await pings.claimDue(START_MS, 10, 1000)).map((claim) => goodPing(claim, START_MS));
      if (odd === undefined || other === undefined) throw new Error('two claims were expected');
      const state = { ...odd.state, cursor: { bootId: 'a\0b', seq: 1 }, lastReason: 'x\0y' };
      const record = { ...odd.record, reason: 'x\0y' };
      expect(await pings.record([{ ...odd, state, record }, other])).toEqual(['kept', 'kept']);
      expect((await agents.find(odd.agentId))?.state).toEqual(state);
      const everything = { agentId: odd.agentId, fromMs: 0, toMs: 1e15, before: undefined, limit: 10 };
      expect(await pings.history(everything)).toEqual([{ ...record, reason: 'x\u{fffd}y' }]);
    });

    it('count once where one claim has two results in one call: the first', async () => {
      const { agents, pings } = await openStore(await server().createDatabase());
      await agents.add(newAgent('a', START_MS), 10);
      const [first] = (await pings.claimDue(START_MS, 10, 1000)).map((claim) => goodPing(claim, START_MS));
      if (first === undefined) throw new Error('a claim was expected');
      const second = { ...first, record: { ...first.record, atMs: START_MS + 1, reason: 'second' } };
      expect(await pings.record([first, second, second])).toEqual(['kept', 'stale', 'stale']);
      const everything = { agentId: 'a', fromMs: 0, toMs: 1e15, before: undefined, limit: 10 };
      expect(await pings.history(everything)).toEqual([first.record]);
    });

    it('leave their history behind when ten thousand of an agent that is removed would have to go', async () => {
      const url = await server().createDatabase();
      const { agents, pings } = await openStore(url);
      await agents.add(newAgent('a', START_MS), 10);
      await server().run(
        `INSERT INTO gpu_uptime.ping SELECT 1, at, at, 'good', '', 1, 0, 1, 1, 1 FROM generate_series(1, 10000) AS at`,
        url,
      );
      expect(await agents.remove('a', undefined)).toBe(true);
      const left = await server().run('SELECT count(*)::int AS pings FROM gpu_uptime.ping', url);
      expect(left.rows).toEqual([{ pings: 10_000 }]);
      expect([await pings.trim(START_MS, 9999), await pings.trim(START_MS, 9999)]).toEqual([9999, 1]);
    });
  });
});
