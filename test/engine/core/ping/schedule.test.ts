import { describe, expect, it } from 'vitest';
import { catchUpDueMs, phaseMs } from '../../../../engine/core/ping/schedule.ts';
import { initialPingState, stepPing } from '../../../../engine/core/ping/step.ts';
import { MINUTE, SECOND } from '../fixtures.ts';
import { HOUR, NOON_MS, observe, POOR, pingPolicy, play, times, UP } from './fixtures.ts';

const POLICY = pingPolicy();
const BASE_MS = POLICY.baseIntervalMs;
const FLEET = Array.from({ length: 10_000 }, (_, index) => `agent-${String(index).padStart(5, '0')}`);

/** How many of the instants fall into each of `parts` equal parts of the span that begins at `fromMs`. */
function histogram(instants: readonly number[], fromMs: number, spanMs: number, parts: number): readonly number[] {
  const counts = Array.from({ length: parts }, () => 0);
  for (const atMs of instants) {
    const part = Math.floor(((atMs - fromMs) / spanMs) * parts);
    counts[part] = (counts[part] ?? 0) + 1;
  }
  return counts;
}

describe('phaseMs', () => {
  it('is the same for ever, and within the period', () => {
    expect(['agent-001', 'agent-002', 'agent-003', ''].map((id) => phaseMs(id, BASE_MS))).toEqual([
      430_327, 487_496, 171_723, 888_202,
    ]);
    for (const id of FLEET) expect(phaseMs(id, 7)).toBeLessThan(7);
    expect(phaseMs('agent-001', 0)).toBe(0);
  });

  it('spreads ten thousand agents with numbered names evenly', () => {
    const parts = histogram(
      FLEET.map((id) => phaseMs(id, BASE_MS)),
      0,
      BASE_MS,
      100,
    );
    expect(parts).toHaveLength(100);
    // A hundred each; five standard deviations are fifty.
    expect(Math.min(...parts)).toBeGreaterThan(50);
    expect(Math.max(...parts)).toBeLessThan(150);
  });
});

describe('the rhythm', () => {
  it('reaches the phase of the agent in steps of at most a twentieth of the base interval, and stays there', () => {
    const { steps } = play(POLICY, times(40, UP));
    const slots = steps.map(({ state }) => state.slotAtMs);
    const gaps = slots.slice(1).map((slot, index) => slot - (slots[index] ?? 0));
    for (const gap of gaps) expect(Math.abs(gap - BASE_MS)).toBeLessThanOrEqual(BASE_MS / 20);
    expect(gaps.slice(-20)).toEqual(times(20, BASE_MS));
    expect((slots.at(-1) ?? 0) % BASE_MS).toBe(phaseMs('agent-001', BASE_MS));
  });

  it('spreads a fleet that registered in the same instant', () => {
    const dueAfter = (pings: number) =>
      FLEET.slice(0, 1000).map((agentId) => {
        let state = initialPingState(POLICY, NOON_MS);
        for (let ping = 0; ping < pings; ping++)
          state = stepPing(POLICY, state, { ...observe(state, UP), agentId }).state;
        return state.nextDueAtMs;
      });
    const spread = (instants: readonly number[]) => Math.max(...instants) - Math.min(...instants);
    expect(spread(dueAfter(1))).toBe(BASE_MS / 10);
    expect(spread(dueAfter(12))).toBeGreaterThan(0.98 * BASE_MS);
  });

  it('does not drift when pings run a little late, and starts anew when one is very late', () => {
    const { state } = play(POLICY, times(30, UP));
    const late = (lateMs: number) =>
      play(POLICY, [{ reply: UP, atMs: state.nextDueAtMs + lateMs }], state).state.slotAtMs - state.slotAtMs;
    expect(late(20 * SECOND)).toBe(BASE_MS);
    expect(Math.abs(late(HOUR) - HOUR - BASE_MS)).toBeLessThanOrEqual(BASE_MS / 20);
  });

  it('keeps escalated intervals to the millisecond', () => {
    const { steps } = play(POLICY, [UP, ...times(7, POOR)]);
    const slots = steps.map(({ state }) => state.slotAtMs);
    const minutes = slots.slice(1).map((slot, index) => (slot - (slots[index] ?? 0)) / MINUTE);
    expect(minutes).toEqual([30, 60, 120, 240, 480, 960, 1440]);
  });
});

describe('catchUpDueMs', () => {
  it('leaves alone what is not overdue', () => {
    expect(catchUpDueMs(POLICY, 'agent-001', NOON_MS + 1, NOON_MS)).toBe(NOON_MS + 1);
    expect(catchUpDueMs(POLICY, 'agent-001', NOON_MS, NOON_MS)).toBe(NOON_MS);
  });

  it('spreads a fleet that fell due during an outage over the window', () => {
    const due = FLEET.map((id) => catchUpDueMs(POLICY, id, NOON_MS - HOUR, NOON_MS));
    const parts = histogram(due, NOON_MS, POLICY.catchUpMs, 50);
    expect(parts).toHaveLength(50);
    expect(Math.max(...parts)).toBeLessThan(300);
  });

  it('puts nobody off for longer than it is overdue, so that an engine that restarts all the time still pings', () => {
    for (const id of FLEET.slice(0, 100)) {
      expect(catchUpDueMs(POLICY, id, NOON_MS - SECOND, NOON_MS)).toBeLessThan(NOON_MS + SECOND);
    }
    let dueMs = NOON_MS - HOUR;
    let pingedAtMs: number | undefined;
    // Alive for 20 s of every 40.
    for (let startMs = NOON_MS; pingedAtMs === undefined && startMs < NOON_MS + HOUR; startMs += 40 * SECOND) {
      dueMs = catchUpDueMs(POLICY, 'agent-002', dueMs, startMs);
      if (dueMs < startMs + 20 * SECOND) pingedAtMs = dueMs;
    }
    expect(pingedAtMs).toBeLessThan(NOON_MS + POLICY.catchUpMs + MINUTE);
  });
});
