/** What every store of agents must do; a second adapter passes this unchanged. */
import { expect, it } from 'vitest';
import { LEASE_MS, type PingStoreFixture, usingFixture } from './ping-contract.ts';
import { anAgent, aState, KEEPING, newAgent, START_MS } from './ping-fixtures.ts';

export function agentStoreContract(open: () => Promise<PingStoreFixture>): void {
  const using = usingFixture(open);

  it('keeps an agent with its first state, and lists agents by id in pages', () =>
    using(async ({ agents, other }) => {
      for (const id of ['b', 'C', 'a', 'a-1'])
        expect(await agents.add(newAgent(id, START_MS), 10)).toMatchObject({ kind: 'added' });
      expect(await other.agents.list(undefined, 3)).toEqual(['C', 'a', 'a-1'].map((id) => newAgent(id, START_MS)));
      expect(await other.agents.list('a-1', 3)).toEqual([newAgent('b', START_MS)]);
      expect(await other.agents.find('C')).toEqual(newAgent('C', START_MS));
    }));

  it('refuses an id that is taken, and more agents than there may be', () =>
    using(async ({ agents, other }) => {
      expect(await agents.add(newAgent('a', START_MS), 2)).toEqual({ kind: 'added', state: aState(START_MS) });
      const taken = { kind: 'taken', by: 'id', id: 'a' };
      expect(await other.agents.add(newAgent('a', START_MS + 1, 'another'), 2)).toEqual(taken);
      expect(await other.agents.add(newAgent('b', START_MS), 2)).toMatchObject({ kind: 'added' });
      expect(await agents.add(newAgent('c', START_MS), 2)).toEqual({ kind: 'full' });
      expect(await agents.add(newAgent('a', START_MS), 2)).toEqual(taken);
      expect(await agents.list(undefined, 10)).toEqual([newAgent('a', START_MS), newAgent('b', START_MS)]);
    }));

  it('refuses a URL or a GPU that another agent has, whoever registers it or changes to it', () =>
    using(async ({ agents, other }) => {
      const url = `http://a:8001/${'x'.repeat(8000)}`;
      const first = { ...newAgent('a', START_MS), agent: anAgent('a', { url, gpu: 'GPU-1' }) };
      await agents.add(first, 10);
      await agents.add(newAgent('b', START_MS), 10);
      for (const [facts, by] of [
        [{ url }, 'url'],
        [{ gpu: 'GPU-1' }, 'gpu'],
        [{ url, gpu: 'GPU-1' }, 'url'],
      ] as const) {
        const taken = { kind: 'taken', by, id: 'a' };
        expect(await other.agents.add({ ...newAgent('c', START_MS), agent: anAgent('c', facts) }, 2)).toEqual(taken);
        expect(await other.agents.change(anAgent('b', facts), 'hash of b', KEEPING)).toEqual(taken);
      }
      expect(await agents.change({ ...first.agent, node: 'n' }, 'hash of a', KEEPING)).toMatchObject({
        kind: 'changed',
      });
      expect((await agents.list(undefined, 10)).map(({ agent }) => agent)).toEqual([
        { ...first.agent, node: 'n' },
        anAgent('b'),
      ]);
    }));

  it('gives a URL to one of those who ask for it at once', () =>
    using(async ({ agents, other }) => {
      const url = 'http://one:8001';
      const added = await Promise.all(
        Array.from({ length: 10 }, (_, at) => {
          const agent = { ...newAgent(`a${at}`, START_MS), agent: anAgent(`a${at}`, { url }) };
          return (at % 2 === 0 ? agents : other.agents).add(agent, 10);
        }),
      );
      expect(added.map(({ kind }) => kind).sort()).toEqual(['added', ...Array(9).fill('taken')]);
    }));

  it('changes an agent for the owner only, and leaves its state alone', () =>
    using(async ({ agents }) => {
      await agents.add(newAgent('a', START_MS), 10);
      const moved = anAgent('a', { url: 'https://[fd00::7]:8443/gpu', capabilities: [], metadata: {}, gpu: 'GPU-1' });
      expect(await agents.change(moved, 'hash of b', KEEPING)).toEqual({ kind: 'unknown' });
      expect(await agents.find('a')).toEqual(newAgent('a', START_MS));
      expect(await agents.change(moved, 'hash of a', KEEPING)).toEqual({ kind: 'changed', state: aState(START_MS) });
      expect(await agents.find('a')).toEqual({ ...newAgent('a', START_MS), agent: moved });
      expect(await agents.change(anAgent('nobody'), 'hash of nobody', KEEPING)).toEqual({ kind: 'unknown' });
    }));

  it('overtakes a ping that is in flight when its agent is to be asked elsewhere', () =>
    using(async ({ agents, pings }) => {
      const facts = [{ url: 'http://new:8001' }, { node: 'new' }, { gpu: 'GPU-new' }];
      for (const [at, moved] of facts.entries()) {
        const id = `a${at}`;
        await agents.add(newAgent(id, START_MS), 10);
        const claim = await pings.claim(id, START_MS, LEASE_MS);
        await agents.change(anAgent(id, moved), `hash of ${id}`, KEEPING);
        const late = { agentId: id, version: claim?.version ?? 0, state: aState(START_MS + 1), record: undefined };
        expect(await pings.record([late])).toEqual(['stale']);
        expect(await pings.claim(id, START_MS, LEASE_MS)).toMatchObject({ state: aState(START_MS) });
      }
      await agents.add(newAgent('b', START_MS), 10);
      const claim = await pings.claim('b', START_MS, LEASE_MS);
      await agents.change(anAgent('b', { capabilities: [] }), 'hash of b', KEEPING);
      const same = { agentId: 'b', version: claim?.version ?? 0, state: aState(START_MS + 1), record: undefined };
      expect(await pings.record([same])).toEqual(['kept']);
    }));

  it('removes an agent for the owner, or for whoever needs no token', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('a', START_MS), 10);
      await agents.add(newAgent('b', START_MS), 10);
      expect(await agents.remove('a', 'hash of b', KEEPING)).toBe(false);
      expect(await agents.remove('a', 'hash of a', KEEPING)).toBe(true);
      expect(await agents.remove('a', 'hash of a', KEEPING)).toBe(false);
      expect(await agents.remove('b', undefined)).toBe(true);
      expect(await agents.remove('b', undefined)).toBe(false);
      expect(await agents.list(undefined, 10)).toEqual([]);
      expect(await pings.claimDue(START_MS, 10, LEASE_MS)).toEqual([]);
    }));

  it('keeps whatever an agent says of itself', () =>
    using(async ({ agents }) => {
      const metadata = { gpu_model: 'Ünïcode "4090" \u{1f600}', n: 0.1 + 0.2, yes: true, constructor: 'x' };
      const agent = anAgent('a', { metadata, capabilities: ['a/b', 'c'] });
      await agents.add({ ...newAgent('a', START_MS), agent }, 10);
      expect((await agents.find('a'))?.agent).toEqual(agent);
    }));
}
