import { describe, expect, it, onTestFinished } from 'vitest';
import type { Ask } from '../engine/ping/asking.ts';
import { ask } from '../engine/ping/asking.ts';
import type { Behaviour } from './agent-behaviours.ts';
import { type AgentFleet, type FleetAgent, startAgentFleet } from './agent-fleet.ts';

const HERE: Ask = { policy: { allowNetworks: ['127.0.0.0/8'] }, now: Date.now };
const FIRST: Ask = { ...HERE, cursor: undefined, spanFromMs: undefined };

const NOBODY: FleetAgent = { id: '', url: '' };

async function fleetOf(count: number, ports: 'own' | 'shared'): Promise<AgentFleet> {
  const fleet = await startAgentFleet({ count, ports, checkMs: 20 });
  onTestFinished(() => fleet.stop());
  return fleet;
}

async function answered({ id: agentId, url }: FleetAgent, question: Ask) {
  const reply = await ask(url, { ...HERE, ...question, agentId });
  if (reply?.kind !== 'answered') throw new Error(JSON.stringify(reply));
  return reply.answer;
}

describe.each(['own', 'shared'] as const)('simulated agents with %s ports', (ports) => {
  it('answer as the real agent does: exactly the time since the cursor, and all of it again when it is asked again', async () => {
    const fleet = await fleetOf(2, ports);
    const [agent = NOBODY, other = NOBODY] = fleet.agents;
    const first = await answered(agent, FIRST);
    expect(first).toMatchObject({ isGpuAvailable: true, claimed: { uptime: undefined, coverage: 0 } });
    const { bootId, seq } = first;
    const since: Ask = { cursor: { bootId, seq }, spanFromMs: Date.now() };
    await expect.poll(() => answered(agent, since)).toMatchObject({ claimed: { uptime: 1, coverage: 1 }, bootId });
    await fleet.behave([agent.id], 'no_gpu');
    await expect.poll(async () => (await answered(agent, since)).claimed.uptime).toBeLessThan(0.9);
    expect(await answered(agent, since)).toMatchObject({ isGpuAvailable: false, reason: 'no GPU answers, 1 expected' });
    await fleet.behave([agent.id], 'good');
    expect((await answered(agent, since)).claimed.uptime).toBeLessThan(1);
    expect(await answered(other, FIRST)).toMatchObject({ isGpuAvailable: true });
    await fleet.restart([agent.id]);
    const restarted = await answered(agent, since);
    expect(restarted).toMatchObject({ continuity: 'history_lost', isGpuAvailable: true });
    expect(restarted.bootId).not.toBe(bootId);
  });

  it.each<[Behaviour, string]>([
    ['hangs', 'unreachable'],
    ['drips', 'unreachable'],
    ['closed', 'unreachable'],
    ['resets', 'unreachable'],
    ['garbage', 'invalid'],
    ['half', 'invalid'],
    ['huge', 'invalid'],
    ['bomb', 'invalid'],
    ['redirects', 'invalid'],
    ['contradicts', 'invalid'],
    ['unavailable', 'refused'],
    ['too_many', 'refused'],
    ['forgets', 'answered'],
  ])('may behave as one that %s, which is %s, and well again', async (behaviour, kind) => {
    const fleet = await fleetOf(1, ports);
    const [agent = NOBODY] = fleet.agents;
    await fleet.behave([agent.id], behaviour);
    expect((await ask(agent.url, { ...FIRST, agentId: agent.id, timeoutMs: 300 }))?.kind).toBe(kind);
    await fleet.behave([agent.id], 'good');
    expect(await answered(agent, FIRST)).toMatchObject({ isGpuAvailable: true });
  });

  it('count what they were asked, and whether two asked at once', async () => {
    const fleet = await fleetOf(2, ports);
    const [agent = NOBODY, other = NOBODY] = fleet.agents;
    await answered(agent, FIRST);
    await fleet.behave([agent.id], 'hangs');
    await Promise.all([1, 2].map(() => ask(agent.url, { ...HERE, timeoutMs: 300 })));
    await expect
      .poll(() => fleet.report())
      .toEqual(
        new Map([
          [agent.id, { atMs: [expect.any(Number), expect.any(Number), expect.any(Number)], overlaps: 1 }],
          [other.id, { atMs: [], overlaps: 0 }],
        ]),
      );
  });
});
