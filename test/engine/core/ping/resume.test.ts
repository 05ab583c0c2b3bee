import { describe, expect, it } from 'vitest';
import { pardonPing, resumePing } from '../../../../engine/core/ping/resume.ts';
import { phaseMs } from '../../../../engine/core/ping/schedule.ts';
import type { PingState } from '../../../../engine/core/ping/state.ts';
import { MINUTE, SECOND } from '../fixtures.ts';
import { AGENT, confirmed, HOUR, POOR, pingPolicy, play, times, UNREACHABLE, UP } from './fixtures.ts';

const POLICY = pingPolicy();
const ESCALATED = play(POLICY, [UP, POOR, POOR, POOR]).state;
const LAST_MS = ESCALATED.lastAttemptAtMs ?? 0;

function resume(state: PingState, nowMs: number, policy = POLICY) {
  return resumePing(policy, { agentId: AGENT, state, nowMs });
}

describe('resumePing', () => {
  it('changes nothing while nothing is due', () => {
    expect(resume(ESCALATED, LAST_MS + HOUR)).toBe(ESCALATED);
  });

  it('moves when Prometheus last knew the GPUs of the agent, too', () => {
    const state = { ...ESCALATED, seenAtMs: LAST_MS };
    expect(resume(state, LAST_MS - HOUR).seenAtMs).toBe(LAST_MS - HOUR - 1);
  });

  it('spreads what is overdue, and keeps the plan, the interval and what the agent is paid at', () => {
    const nowMs = ESCALATED.nextDueAtMs + 10 * HOUR;
    const resumed = resume(ESCALATED, nowMs);
    expect(resumed).toEqual({ ...ESCALATED, nextDueAtMs: nowMs + phaseMs(AGENT, 5 * MINUTE) });
    expect(resume(resumed, nowMs + SECOND)).toBe(resumed);
  });

  it('moves every instant with a clock that was set back, and the next attempt counts', () => {
    const nowMs = LAST_MS - 24 * HOUR;
    const resumed = resume(ESCALATED, nowMs);
    const byMs = -24 * HOUR - 1;
    const { lastEvidence } = ESCALATED;
    const [fromMs = 0, toMs = 0] = [lastEvidence?.fromMs, lastEvidence?.toMs];
    expect(resumed).toEqual({
      ...ESCALATED,
      lastEvidence: { ...lastEvidence, fromMs: fromMs + byMs, toMs: toMs + byMs },
      sinceMs: ESCALATED.sinceMs + byMs,
      spanFromMs: (ESCALATED.spanFromMs ?? 0) + byMs,
      lastAttemptAtMs: LAST_MS + byMs,
      lastPingAtMs: LAST_MS + byMs,
      slotAtMs: ESCALATED.slotAtMs + byMs,
      nextDueAtMs: ESCALATED.nextDueAtMs + byMs,
      payDueAtMs: ESCALATED.payDueAtMs + byMs,
    });
    expect(play(POLICY, [UP], resumed).steps[0]?.record).toMatchObject({ outcome: 'good', consecutivePoor: 2 });
  });

  it('keeps the distance between agents where it is known by how much the clock was set back', () => {
    const nowMs = LAST_MS - 24 * HOUR;
    const byMs = 24 * HOUR + 10 * MINUTE;
    const resumed = resumePing(POLICY, { agentId: AGENT, state: ESCALATED, nowMs, setBackMs: byMs });
    expect([resumed.lastAttemptAtMs, resumed.nextDueAtMs]).toEqual([LAST_MS - byMs, ESCALATED.nextDueAtMs - byMs]);
    const unmoved = resumePing(POLICY, { agentId: AGENT, state: ESCALATED, nowMs: LAST_MS + MINUTE, setBackMs: byMs });
    expect(unmoved).toBe(ESCALATED);
  });

  it('goes back to the plan where catching up was planned by a clock that was ahead', () => {
    const ahead = { ...ESCALATED, nextDueAtMs: LAST_MS + 400 * 24 * HOUR };
    expect(resume(ahead, LAST_MS + MINUTE)).toEqual(ESCALATED);
    const retried = { ...ESCALATED, nextDueAtMs: ESCALATED.nextDueAtMs + 5 * MINUTE };
    expect(resume(retried, ESCALATED.nextDueAtMs)).toBe(retried);
  });

  it('lets a shorter longest interval take effect at once', () => {
    const capped = play(POLICY, [UP, ...times(9, POOR)]).state;
    const policy = pingPolicy({ maxIntervalMs: HOUR });
    const lastMs = capped.lastAttemptAtMs ?? 0;
    const dueAtMs = lastMs + HOUR;
    expect(resume(capped, lastMs + MINUTE, policy)).toEqual({
      ...capped,
      consecutivePoor: 2,
      intervalMs: HOUR,
      slotAtMs: dueAtMs,
      nextDueAtMs: dueAtMs,
      payDueAtMs: dueAtMs,
    });
    const afterMs = lastMs + 10 * HOUR;
    expect(resume(capped, afterMs, policy).nextDueAtMs).toBe(afterMs + phaseMs(AGENT, 5 * MINUTE));
  });

  it('lets observe: base take effect at once, and leaves what the agent is paid at', () => {
    const resumed = resume(ESCALATED, LAST_MS + MINUTE, pingPolicy({ observe: 'base' }));
    const dueAtMs = LAST_MS + 15 * MINUTE;
    expect(resumed).toEqual({ ...ESCALATED, slotAtMs: dueAtMs, nextDueAtMs: dueAtMs });
  });
});

describe('pardonPing', () => {
  const before = play(POLICY, [UP, POOR, UP, POOR, POOR]).state;
  const failed = play(POLICY, confirmed(UNREACHABLE), before).state;
  const failedAtMs = failed.lastPingAtMs ?? 0;
  const pardon = (state: PingState, sinceMs: number) =>
    pardonPing(POLICY, { agentId: AGENT, state, nowMs: failedAtMs + MINUTE }, sinceMs);

  it('takes back a failure that the engine turned out to have caused, and asks again soon', () => {
    expect(failed.consecutivePoor).toBe(3);
    const dueAtMs = failedAtMs + MINUTE + phaseMs(AGENT, 5 * MINUTE);
    expect(pardon(failed, failedAtMs - MINUTE)).toEqual({
      state: {
        ...failed,
        consecutivePoor: 2,
        goodInARow: 0,
        isReachable: true,
        intervalMs: 60 * MINUTE,
        slotAtMs: dueAtMs,
        nextDueAtMs: dueAtMs,
        payDueAtMs: dueAtMs,
        undo: undefined,
      },
      events: [{ kind: 'pardoned', atMs: failedAtMs + MINUTE, outcome: 'unreachable' }],
    });
  });

  it('takes back nothing else: no failure before the outage, no poor uptime, nothing twice', () => {
    expect(pardon(failed, failedAtMs + 1)).toBeUndefined();
    expect(pardon(before, 0)).toBeUndefined();
    expect(pardon(pardon(failed, 0)?.state ?? before, 0)).toBeUndefined();
  });
});
