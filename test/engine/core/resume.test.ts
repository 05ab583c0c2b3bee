import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Alert, type AlertRule, type RuleState, step } from '../../../engine/core/alert.ts';
import { restoredActiveAt, resumeState, shiftState } from '../../../engine/core/resume.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const rule = (forMinutes: number): AlertRule => ({
  name: 'Hot',
  expr: 'temperature > 85',
  forMs: forMinutes * MINUTE,
  keepFiringForMs: 0,
  limit: 0,
});

const facts = { key: '{}', labels: {}, annotations: {}, value: 1 };
const PENDING: Alert = { ...facts, state: 'pending', activeAt: 10 * MINUTE };
const FIRING: Alert = { ...facts, state: 'firing', activeAt: 0, firedAt: 5 * MINUTE, lastSentAt: 9 * MINUTE };
const RESOLVED: Alert = { ...facts, state: 'inactive', activeAt: 0, firedAt: MINUTE, resolvedAt: 2 * MINUTE };
const STATE: RuleState = { alerts: [PENDING, FIRING, RESOLVED], confirmedAt: 3 * MINUTE, evaluatedAt: 12 * MINUTE };
const USUAL = { intervalMs: MINUTE / 2, toleranceMs: HOUR, graceMs: 10 * MINUTE };

describe('resumeState', () => {
  /** Of an alert that has been pending for two minutes, minute 10 to 12. */
  const pendingSince = (forMinutes: number, outageMinutes: number, other: Partial<typeof USUAL>) => {
    const at = (12 + outageMinutes) * MINUTE;
    const { alerts } = resumeState(rule(forMinutes), STATE, { ...USUAL, ...other, at });
    expect(alerts).toEqual(expect.arrayContaining([FIRING, RESOLVED]));
    const [pending] = alerts.filter(({ state }) => state === 'pending');
    return pending === undefined ? undefined : pending.activeAt / MINUTE;
  };

  it.each([
    ['a restart within a minute changes nothing', 60, 1, {}, 10],
    ['nor one within two intervals', 60, 2, { intervalMs: MINUTE }, 10],
    ['nor of a rule with a short `for`', 5, 1, {}, 10],
    ['a longer outage does not count', 60, 1.5, {}, 11.5],
    ['however much shorter than the `for` it was', 60, 59, {}, 69],
    ['with less than the grace period to go, that is waited', 11, 20, {}, 32 + 10 - 11],
    ['with just the grace period to go, the outage does not count', 12, 20, {}, 30],
    ['a `for` shorter than the grace period is waited again', 9, 20, {}, undefined],
    ['a `for` of just the grace period is not', 10, 20, {}, 32],
    ['without a grace period, every `for` goes on', 3, 20, { graceMs: 0 }, 30],
    ['one that had waited out its `for` fires', 2, 20, { graceMs: 0 }, 10],
    ['an outage as long as the tolerance', 60, 60, {}, 70],
    ['one beyond the tolerance makes it start over', 60, 60.5, {}, undefined],
    ['also where the tolerance is shorter than a restart', 60, 0.5, { toleranceMs: 0 }, undefined],
  ])('%s', (_, forMinutes, outageMinutes, other, expected) => {
    expect(pendingSince(forMinutes, outageMinutes, other)).toBe(expected);
  });

  it('takes up saved again what it has taken up: one outage counts once', () => {
    const once = resumeState(rule(60), STATE, { ...USUAL, at: 40 * MINUTE });
    expect(resumeState(rule(60), once, { ...USUAL, at: 41 * MINUTE })).toEqual(once);
  });

  it('moves everything back with a clock that was set back', () => {
    expect(resumeState(rule(15), STATE, { ...USUAL, at: 2 * MINUTE })).toEqual(shiftState(STATE, -10 * MINUTE));
  });

  it('never lets an outage make an alert fire', () => {
    const anyMinutes = (max: number) => fc.integer({ min: 0, max: max * 60 }).map((seconds) => seconds * 1000);
    fc.assert(
      fc.property(anyMinutes(120), anyMinutes(120), anyMinutes(180), (forMs, waitedMs, outageMs) => {
        fc.pre(waitedMs < forMs && outageMs > MINUTE);
        const of = { ...rule(0), forMs };
        const before = { alerts: [{ ...PENDING, activeAt: 0 }], evaluatedAt: waitedMs };
        const at = waitedMs + outageMs;
        const { alerts } = resumeState(of, before, { ...USUAL, at });
        const remainingMs = alerts.map(({ activeAt }) => activeAt + forMs - at)[0] ?? forMs;
        expect(remainingMs).toBeGreaterThanOrEqual(Math.min(forMs, Math.max(USUAL.graceMs, forMs - waitedMs)));
        const seen = { labels: PENDING.labels, annotations: {}, value: 1 };
        const { state } = step(of, { ...before, alerts }, { at, result: [seen] });
        expect(state.alerts.map((alert) => alert.state)).not.toContain('firing');
      }),
    );
  });
});

describe('restoredActiveAt', () => {
  it.each([
    ['it had waited out its `for`', 30, { activeAt: 0, seenAt: 30 }, 40, 0],
    ['less than the grace period was left', 30, { activeAt: 0, seenAt: 25 }, 40, 40 + 10 - 30],
    ['more was left: the outage does not count', 30, { activeAt: 0, seenAt: 12 }, 20, 8],
    ['just the grace period was left', 30, { activeAt: 0, seenAt: 20 }, 40, 20],
  ])('%s', (_, forMinutes, { activeAt, seenAt }, at, expected) => {
    const lost = { activeAt: activeAt * MINUTE, seenAt: seenAt * MINUTE };
    const activeAtMs = restoredActiveAt(rule(forMinutes), lost, { at: at * MINUTE, graceMs: 10 * MINUTE });
    expect(activeAtMs / MINUTE).toBe(expected);
  });
});

describe('shiftState', () => {
  it('moves every instant there is and adds none', () => {
    const kept: Alert = { ...facts, state: 'firing', activeAt: 0, firedAt: 1, missingSince: 2, raisedAt: 4 };
    const state = { alerts: [PENDING, FIRING, RESOLVED, kept], confirmedAt: 3 };
    expect(shiftState(shiftState(state, 7), -7)).toEqual(state);
    expect(shiftState(state, 100)).toEqual({
      alerts: [
        { ...PENDING, activeAt: PENDING.activeAt + 100 },
        { ...FIRING, activeAt: 100, firedAt: FIRING.firedAt + 100, lastSentAt: 9 * MINUTE + 100 },
        { ...RESOLVED, activeAt: 100, firedAt: MINUTE + 100, resolvedAt: 2 * MINUTE + 100 },
        { ...kept, activeAt: 100, firedAt: 101, missingSince: 102, raisedAt: 104 },
      ],
      confirmedAt: 103,
    });
  });
});
