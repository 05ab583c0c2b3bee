import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { openPostgresStore } from '../../../engine/store/postgres.ts';
import { goodPing, newAgent, START_MS } from './ping-fixtures.ts';
import { describePostgres, openStore } from './postgres-fixtures.ts';

const LEASE_MS = 30_000;

describePostgres('a PostgreSQL that goes away', (server) => {
  afterEach(() => server().thaw());

  it('costs the calls that need it, not the process; the next one finds it again', async () => {
    const problems: string[] = [];
    const url = await server().createDatabase();
    const { agents, pings } = await openStore(url, { onLost: (problem) => problems.push(problem) });
    for (const id of ['a', 'b']) await agents.add(newAgent(id, START_MS), 10);
    const [claim, held] = await pings.claimDue(START_MS, 2, LEASE_MS);
    if (claim === undefined || held === undefined) throw new Error('two claims were expected');
    await server().shutDown();
    await expect(pings.record([goodPing(claim, START_MS)])).rejects.toThrow(
      /^cannot use the store postgres@127\.0\.0\.1:\d+\/test_\d+: connect ECONNREFUSED .*; start PostgreSQL there/,
    );
    await expect(agents.add(newAgent('c', START_MS), 10)).rejects.toThrow(/ECONNREFUSED/);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]).toMatch(/^lost a connection to the store postgres@127\.0\.0\.1:\d+\/test_\d+: /);
    await server().start();
    // What was claimed before is still held, and its result is still welcome.
    expect(await pings.claimDue(START_MS, 2, LEASE_MS)).toEqual([]);
    expect(await pings.record([goodPing(claim, START_MS), goodPing(held, START_MS)])).toEqual(['kept', 'kept']);
  });

  it('may end a connection in the middle of a statement or a transaction', async () => {
    const url = await server().createDatabase();
    const { agents } = await openStore(url);
    const letGo = await server().hold('LOCK TABLE gpu_uptime.agent', url);
    const waiting = [agents.find('a'), agents.add(newAgent('a', START_MS), 10)].map((call) =>
      call.catch((error: unknown) => error),
    );
    const ask = `FROM pg_stat_activity WHERE application_name = 'gpu-uptime' AND wait_event_type = 'Lock'`;
    while ((await server().run(`SELECT pid ${ask}`)).rowCount !== 2) await sleep(10);
    await server().run(`SELECT pg_terminate_backend(pid) ${ask}`);
    for (const outcome of await Promise.all(waiting))
      expect(String(outcome)).toMatch(/terminating connection due to administrator command; the next attempt connects/);
    await letGo();
    expect(await agents.add(newAgent('a', START_MS), 10)).toMatchObject({ kind: 'added' });
  });

  it('is given up on in time when it hangs, and used again when it does not', async () => {
    const url = await server().createDatabase();
    const limits = { connections: 2, connectMs: 300, statementMs: 200 };
    const opened = await openStore(url, limits);
    await opened.agents.add(newAgent('a', START_MS), 10);
    server().freeze();
    const startMs = performance.now();
    // More calls than connections: some wait for one.
    const calls = Array.from({ length: 6 }, () => opened.agents.find('a').catch((error: unknown) => String(error)));
    const outcomes = await Promise.all(calls);
    expect(performance.now() - startMs).toBeLessThan(8000);
    for (const outcome of outcomes) expect(outcome).toMatch(/timeout/);
    await expect(openPostgresStore(url, limits)).rejects.toThrow(
      /: Connection terminated due to connection timeout; see what the server is busy with, or correct host/,
    );
    server().thaw();
    expect((await opened.agents.find('a'))?.agent.id).toBe('a');
  });

  it('holds up no engine that closes', async () => {
    const opened = await openPostgresStore(await server().createDatabase(), { statementMs: 200 });
    await opened.agents.list(undefined, 1);
    server().freeze();
    const startMs = performance.now();
    await opened.close();
    await opened.close();
    expect(performance.now() - startMs).toBeLessThan(8000);
    server().thaw();
    await expect(opened.agents.list(undefined, 1)).rejects.toThrow(/^cannot use the store /);
  });

  it('limits how long a statement takes', async () => {
    const url = await server().createDatabase();
    const { agents } = await openStore(url, { statementMs: 200 });
    const letGo = await server().hold('LOCK TABLE gpu_uptime.agent', url);
    await expect(agents.find('a')).rejects.toThrow(
      /: canceling statement due to statement timeout; see what the server is busy with$/,
    );
    await letGo();
    expect(await agents.find('a')).toBeUndefined();
  });
});
