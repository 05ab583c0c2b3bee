import { describe, expect, it } from 'vitest';
import type { Alert, AlertRule, RuleState } from '../../../engine/core/alert.ts';
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
const STATE: RuleState = { alerts: [PENDING, FIRING, RESOLVED], confirmedAt: 12 * MINUTE };

describe('resumeState', () => {
  const pendingSince = (forMinutes: number, outageMinutes: number) => {
    const { alerts } = resumeState(rule(forMinutes), STATE, (12 + outageMinutes) * MINUTE, HOUR);
    expect(alerts).toEqual(expect.arrayContaining([FIRING, RESOLVED]));
    const [pending] = alerts.filter(({ state }) => state === 'pending');
    return pending === undefined ? undefined : pending.activeAt / MINUTE;
  };

  it.each([
    ['an outage of at most a minute counts', 0, 1, 10],
    ['an outage of at most the `for` counts', 15, 15, 10],
    ['a longer one does not', 15, 16, 26],
    ['one beyond the tolerance makes it start over', 15, 61, undefined],
  ])('%s', (_, forMinutes, outageMinutes, expected) => {
    expect(pendingSince(forMinutes, outageMinutes)).toBe(expected);
  });

  it('moves everything back with a clock that was set back', () => {
    expect(resumeState(rule(15), STATE, 2 * MINUTE, HOUR)).toEqual(shiftState(STATE, -10 * MINUTE));
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
    expect(restoredActiveAt(lost, rule(forMinutes), at * MINUTE, 10 * MINUTE) / MINUTE).toBe(expected);
  });
});

describe('shiftState', () => {
  it('moves every instant there is and adds none', () => {
    const kept: Alert = { ...facts, state: 'firing', activeAt: 0, firedAt: 1, missingSince: 2 };
    const state = { alerts: [PENDING, FIRING, RESOLVED, kept], confirmedAt: 3 };
    expect(shiftState(shiftState(state, 7), -7)).toEqual(state);
    expect(shiftState(state, 100)).toEqual({
      alerts: [
        { ...PENDING, activeAt: PENDING.activeAt + 100 },
        { ...FIRING, activeAt: 100, firedAt: FIRING.firedAt + 100, lastSentAt: 9 * MINUTE + 100 },
        { ...RESOLVED, activeAt: 100, firedAt: MINUTE + 100, resolvedAt: 2 * MINUTE + 100 },
        { ...kept, activeAt: 100, firedAt: 101, missingSince: 102 },
      ],
      confirmedAt: 103,
    });
  });
});
