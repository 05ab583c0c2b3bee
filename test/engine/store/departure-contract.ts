/** What every store of agents keeps of those that have left; a second adapter passes this unchanged. */
import { expect, it } from 'vitest';
import type { Agent } from '../../../engine/core/ping/agent.ts';
import type { PingState } from '../../../engine/core/ping/state.ts';
import type { NewAgent } from '../../../engine/store/agent-store.ts';
import { claimOf, LEASE_MS, type PingStoreFixture, pingAt, usingFixture } from './ping-contract.ts';
import { anAgent, aState, BASE_MS, goodPing, KEEPING, newAgent, type PingStores, START_MS } from './ping-fixtures.ts';

export function departureContract(open: () => Promise<PingStoreFixture>): void {
  const using = usingFixture(open);

  it.each([
    ['id', { id: 'a' }],
    ['URL', { url: 'http://left:8001' }],
    ['GPU', { gpu: 'GPU-1' }],
  ])('lets whoever registers the %s of an agent that has left go on from where that stood', (_, facts) =>
    using(async ({ agents, other, pings }) => {
      await leave(agents, { url: 'http://left:8001', gpu: 'GPU-1' });
      const next = successor('b', facts);
      expect(await other.agents.add(next, 10)).toEqual({ kind: 'added', state: ESCALATED });
      expect((await agents.find(next.agent.id))?.state).toEqual(ESCALATED);
      expect(await pings.claimDue(ESCALATED.nextDueAtMs - 1, 10, LEASE_MS)).toEqual([]);
      expect(await pings.claimDue(ESCALATED.nextDueAtMs, 10, LEASE_MS)).toMatchObject([{ state: ESCALATED }]);
    }),
  );

  it('lets whoever comes too late, or has nothing of an agent that has left, begin anew', () =>
    using(async ({ agents }) => {
      await leave(agents, { gpu: 'GPU-1' });
      const fresh = { kind: 'added', state: aState(START_MS) };
      expect(await agents.add(successor('b'), 10)).toEqual(fresh);
      const late = { id: 'a', registeredAtMs: KEEPING.untilMs };
      expect(await agents.add(successor('a', late), 10)).toEqual(fresh);
    }));

  it('lets whoever takes up what several gave up go on from the most escalated', () =>
    using(async ({ agents }) => {
      await leave(agents, {}, 'hash of a', { consecutivePoor: 1 });
      await leave(agents, { id: 'b', url: 'http://left:8001' });
      await leave(agents, { id: 'c', gpu: 'GPU-1' }, 'hash of c', { consecutivePoor: 2 });
      const all = { id: 'a', url: 'http://left:8001', gpu: 'GPU-1' };
      expect(await agents.add(successor('a', all), 10)).toEqual({ kind: 'added', state: ESCALATED });
    }));

  it('lets an agent that changes to what another gave up go on from there, where that stood worse', () =>
    using(async ({ agents, pings }) => {
      await agents.add(newAgent('b', START_MS), 10);
      await agents.add({ ...newAgent('c', START_MS), state: aState(START_MS, { consecutivePoor: 9 }) }, 10);
      await leave(agents, { url: 'http://left:8001', gpu: 'GPU-1' });
      const late = await claimOf(pings, 'b');
      const worse = anAgent('b', { url: 'http://left:8001' });
      expect(await agents.change(worse, 'hash of b', KEEPING)).toEqual({ kind: 'changed', state: ESCALATED });
      expect(await pings.record([goodPing(late, START_MS)])).toEqual(['stale']);
      expect((await agents.find('b'))?.state).toEqual(ESCALATED);
      expect(await pings.claimDue(ESCALATED.nextDueAtMs - 1, 1, LEASE_MS)).toMatchObject([{ agent: { id: 'c' } }]);
      const better = await agents.change(anAgent('c', { gpu: 'GPU-1' }), 'hash of c', KEEPING);
      expect(better).toMatchObject({ state: { consecutivePoor: 9 } });
    }));

  it('keeps what a changed agent gives up, for all but itself', () =>
    using(async ({ agents, pings }) => {
      const [url, gpu] = ['http://left:8001', 'GPU-1'];
      await agents.add({ ...newAgent('a', START_MS), agent: anAgent('a', { url, gpu }), state: ESCALATED }, 10);
      await agents.change(anAgent('a'), 'hash of a', KEEPING);
      expect(await agents.add(successor('b', { url }), 10)).toEqual({ kind: 'added', state: ESCALATED });
      const recovered = await pingAt(pings, 'a', START_MS);
      const back = await agents.change(anAgent('a', { gpu }), 'hash of a', KEEPING);
      expect(back).toEqual({ kind: 'changed', state: recovered.state });
    }));

  it('keeps of what an agent gave up earlier where it stood when it left', () =>
    using(async ({ agents, pings }) => {
      const url = 'http://left:8001';
      await agents.add({ ...newAgent('a', START_MS), agent: anAgent('a', { url }), state: ESCALATED }, 10);
      await agents.change(anAgent('a'), 'hash of a', KEEPING);
      const { state } = await pingAt(pings, 'a', START_MS);
      await agents.remove('a', 'hash of a', KEEPING);
      expect(await agents.add(successor('b', { url }), 10)).toEqual({ kind: 'added', state });
    }));

  it('forgets all of an agent that whoever needs no token removes, also after it has left', () =>
    using(async ({ agents }) => {
      const [url, gpu] = ['http://left:8001', 'GPU-1'];
      const fresh = { kind: 'added', state: aState(START_MS) };
      await leave(agents, { url, gpu });
      expect(await agents.remove('a', undefined)).toBe(true);
      expect(await agents.remove('a', undefined)).toBe(false);
      expect(await agents.add(successor('a', { url, gpu }), 10)).toEqual(fresh);
      await agents.change(anAgent('a'), 'hash of a', KEEPING);
      expect(await agents.remove('a', undefined)).toBe(true);
      expect(await agents.add(successor('b', { url, gpu }), 10)).toEqual(fresh);
    }));

  it('forgets those that have left when their time is over, in bounded steps', () =>
    using(async ({ agents }) => {
      await leave(agents, { gpu: 'GPU-1' });
      expect(await agents.forgetDeparted(KEEPING.untilMs - 1, 10)).toBe(0);
      const steps = [2, 2, 2].map((limit) => () => agents.forgetDeparted(KEEPING.untilMs, limit));
      expect([await steps[0]?.(), await steps[1]?.(), await steps[2]?.()]).toEqual([2, 1, 0]);
      expect(await agents.add(successor('a'), 10)).toEqual({ kind: 'added', state: aState(START_MS) });
    }));

  it('keeps no more of those that have left than it may, and the most escalated longest', () =>
    using(async ({ agents }) => {
      await leave(agents, {});
      for (const id of ['b', 'c', 'd']) {
        await agents.add(newAgent(id, START_MS), 10);
        await agents.remove(id, `hash of ${id}`, { ...KEEPING, most: 4 });
      }
      expect(await agents.forgetDeparted(KEEPING.untilMs, 100)).toBe(4);
      await leave(agents, {});
      await agents.add(newAgent('b', START_MS), 10);
      await agents.remove('b', 'hash of b', { ...KEEPING, most: 2 });
      expect(await agents.add(successor('a'), 10)).toEqual({ kind: 'added', state: ESCALATED });
    }));
}

const ESCALATED = aState(START_MS + BASE_MS, { pings: 7, consecutivePoor: 3, intervalMs: 8 * BASE_MS });

/** The agent comes, escalated, and is removed by its owner. */
async function leave(
  agents: PingStores['agents'],
  facts: Partial<Agent>,
  tokenHash = `hash of ${facts.id ?? 'a'}`,
  stands: Partial<PingState> = {},
): Promise<void> {
  const agent = anAgent(facts.id ?? 'a', facts);
  expect(await agents.add({ agent, tokenHash, state: { ...ESCALATED, ...stands } }, 10)).toMatchObject({
    kind: 'added',
  });
  expect(await agents.remove(agent.id, tokenHash, KEEPING)).toBe(true);
}

function successor(id: string, facts: Partial<Agent> = {}): NewAgent {
  return { agent: anAgent(id, facts), tokenHash: `hash of ${id}`, state: aState(START_MS) };
}
