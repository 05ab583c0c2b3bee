import { describe, expect, it } from 'vitest';
import type { RegisteredAgent } from '../../../engine/ping/agent-index.ts';
import { type DashboardFacts, pingDashboard } from '../../../engine/ping/dashboard.ts';
import { claim, NO_GPU, POOR, pingPolicy, play, times, UNREACHABLE, UP } from '../core/ping/fixtures.ts';
import { anAgent, aState, START_MS } from '../store/ping-fixtures.ts';
import { pinged, pingStats } from './shown-agents.ts';

const HOUR_MS = 3_600_000;
const NONE = { good: 0, poor: 0, no_gpu: 0, unreachable: 0, refused: 0, invalid: 0, unobserved: 0 };

const isInFlight = () => false;

function shown(agents: Iterable<RegisteredAgent>, facts: Partial<DashboardFacts> = {}) {
  const base = { totals: [], stats: pingStats(), isInFlight, policy: pingPolicy(), nowMs: START_MS };
  return pingDashboard({ agents, ...base, ...facts });
}

function due(id: string, nextDueAtMs: number): RegisteredAgent {
  return { agent: anAgent(id), state: aState(nextDueAtMs) };
}

describe('pingDashboard', () => {
  it('is all zeros where nobody is registered', () => {
    expect(shown([])).toEqual({
      atMs: START_MS,
      policy: pingPolicy(),
      isScheduling: true,
      isInFlight,
      suspectSinceMs: undefined,
      total: 0,
      byStatus: { ...NONE, never_pinged: 0 },
      due: 0,
      inFlight: 3,
      escalated: 0,
      lagMs: 40,
      worstLagMs: 1250,
      nextDueAtMs: undefined,
      day: { total: 0, byOutcome: NONE, meanRoundTripMs: undefined },
      worst: [],
      divergent: [],
    });
  });

  it('counts agents by status, those that are due, and tells the next', () => {
    const agents = [
      due('a', START_MS + 1),
      due('b', START_MS),
      due('c', START_MS - 5000),
      { ...due('d', START_MS + 9), state: aState(START_MS + 9, { lastOutcome: 'no_gpu', consecutivePoor: 2 }) },
    ];
    expect(shown(agents)).toMatchObject({
      total: 4,
      byStatus: { ...NONE, never_pinged: 3, no_gpu: 1 },
      due: 2,
      escalated: 1,
      nextDueAtMs: START_MS - 5000,
      worst: [agents[3]],
    });
  });

  it('takes an agent that is being asked for neither due nor late', () => {
    const agents = [due('asked', START_MS - 9000), due('waiting', START_MS - 2000), due('later', START_MS + 5000)];
    const asked = { isInFlight: (id: string) => id === 'asked' };
    expect(shown(agents, asked)).toMatchObject({ total: 3, due: 1, nextDueAtMs: START_MS - 2000 });
    expect(shown(agents.slice(0, 1), asked)).toMatchObject({ total: 1, due: 0, nextDueAtMs: undefined });
  });

  it('lists the escalated agents, the worst of them first, and no more than 20', () => {
    const agents = Array.from({ length: 60 }, (_, at) => {
      const state = aState(START_MS, { consecutivePoor: at % 8 });
      return { agent: anAgent(`agent-${at}`), state };
    });
    const { worst, escalated } = shown(agents);
    expect(escalated).toBe(52);
    expect(worst.map(({ state }) => state.consecutivePoor)).toEqual([...times(7, 7), ...times(7, 6), ...times(6, 5)]);
  });

  it('lists agents whose word is not what was seen, in either direction, the widest gap first', () => {
    const agents = [
      pinged('honest', [UP, { reply: UP, observed: claim(0.995) }]),
      pinged('boasting', [UP, { reply: UP, observed: claim(0.85) }]),
      pinged('modest', [UP, { reply: POOR, observed: claim(1) }]),
      pinged('unseen', [UP, UP]),
      pinged('gone', [UP, { reply: UP, observed: claim(0.5) }, ...times(4, UNREACHABLE)]),
      pinged('bare', [NO_GPU]),
    ];
    const rows = shown(agents).divergent.map(({ entry, divergence }) => [entry.agent.id, divergence]);
    expect(rows).toEqual([
      ['gone', 0.5],
      ['boasting', expect.closeTo(0.15)],
      ['modest', expect.closeTo(-0.1)],
    ]);
  });

  it('adds up the pings of the hour of now and the 23 before it', () => {
    const hour = (hourMs: number, pings: number) =>
      [
        { hourMs, outcome: 'good', pings, answered: pings, roundTripMs: 20 * pings },
        { hourMs, outcome: 'unreachable', pings: 1, answered: 0, roundTripMs: 0 },
      ] as const;
    const nowMs = START_MS + 20 * 60_000;
    const totals = [START_MS - 24 * HOUR_MS, START_MS - 23 * HOUR_MS, START_MS].flatMap((ms) => hour(ms, 10));
    expect(shown([], { totals, nowMs }).day).toEqual({
      total: 22,
      byOutcome: { ...NONE, good: 20, unreachable: 2 },
      meanRoundTripMs: 20,
    });
  });

  it('takes less than 50 ms for 10,000 agents', () => {
    const policy = pingPolicy();
    const states = [
      play(policy, [UP, UP]).state,
      play(policy, [UP, ...times(5, { reply: POOR, observed: claim(0.7) })]).state,
    ];
    const agents = Array.from({ length: 10_000 }, (_, at) => {
      const state = states[at % 2] ?? aState(START_MS);
      return { agent: anAgent(`agent-${at}`), state };
    });
    const took = times(5, 0).map(() => {
      const startedAt = performance.now();
      expect(shown(agents).total).toBe(10_000);
      return performance.now() - startedAt;
    });
    expect(Math.min(...took)).toBeLessThan(50);
  });
});
