/** What holds for every agent, whatever it does and whenever. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highestStep, intervalMsOf } from '../../../../engine/core/ping/escalation.ts';
import { recoveryForecast } from '../../../../engine/core/ping/forecast.ts';
import type { PingReply } from '../../../../engine/core/ping/outcome.ts';
import type { PingPolicy } from '../../../../engine/core/ping/policy.ts';
import { resumePing } from '../../../../engine/core/ping/resume.ts';
import type { PingState } from '../../../../engine/core/ping/state.ts';
import { initialPingState, type PingStep, stepPing } from '../../../../engine/core/ping/step.ts';
import { MINUTE, SECOND } from '../fixtures.ts';
import {
  AGENT,
  type Attempt,
  answered,
  claim,
  FORBIDDEN,
  INVALID,
  NO_GPU,
  NOON_MS,
  observe,
  pingPolicy,
  play,
  refused,
  times,
  UNREACHABLE,
  UP,
} from './fixtures.ts';

const share = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined });

const reply: fc.Arbitrary<PingReply> = fc.oneof(
  fc
    .record({
      claimed: share.map((uptime) => claim(uptime)),
      bootId: fc.constantFrom('boot-a', 'boot-b'),
      isGpuAvailable: fc.constantFrom(true, true, false),
      continuity: fc.constantFrom('complete', 'history_lost'),
    })
    .map(answered),
  fc.constantFrom<PingReply>(UP, NO_GPU, UNREACHABLE, INVALID, FORBIDDEN, refused(), refused(MINUTE)),
);

const attempt: fc.Arbitrary<Exclude<Attempt, PingReply>> = fc.record({
  reply,
  observed: fc.tuple(share, fc.constantFrom(0, 0.4, 1)).map(([uptime, watched]) => ({ ...claim(uptime), watched })),
  isSuspect: fc.boolean(),
  outageMs: fc.constantFrom(0, SECOND, 20 * MINUTE),
});

const attempts = fc.array(attempt, { maxLength: 60 });

const policies: fc.Arbitrary<PingPolicy> = fc
  .record({
    baseIntervalMs: fc.integer({ min: 1, max: 60 * MINUTE }),
    escalationMultiplier: fc.double({ min: 1, max: 10, noNaN: true }),
    factor: fc.integer({ min: 1, max: 200 }),
    recoveryThresholdPings: fc.integer({ min: 1, max: 5 }),
    firstPingGracePeriod: fc.boolean(),
    observe: fc.constantFrom('pay' as const, 'base' as const),
    evidence: fc.constantFrom('agent' as const, 'prometheus' as const, 'both' as const),
    confirmMs: fc.constantFrom<readonly number[]>([], [2 * SECOND], [2 * SECOND, 4 * SECOND, 8 * SECOND]),
  })
  .map(({ factor, ...change }) => pingPolicy({ ...change, maxIntervalMs: factor * change.baseIntervalMs }));

function withState(check: (policy: PingPolicy, steps: readonly PingStep[], state: PingState) => void): void {
  fc.assert(
    fc.property(policies, attempts, (policy, list) => {
      const { steps, state } = play(policy, list);
      check(policy, steps, state);
    }),
    { numRuns: 500 },
  );
}

describe('for any agent', () => {
  it('the interval is never above the longest nor below the base, and the next ping is in the future', () => {
    withState((policy, steps) => {
      for (const { state, record } of steps) {
        expect(state.intervalMs).toBeGreaterThanOrEqual(policy.baseIntervalMs);
        expect(state.intervalMs).toBeLessThanOrEqual(policy.maxIntervalMs);
        if (record) expect(record.nextDueAtMs).toBeGreaterThan(record.atMs);
        if (record) expect(record.payDueAtMs).toBeGreaterThanOrEqual(policy.observe === 'pay' ? record.atMs : 0);
      }
    });
  });

  it('the wait is the interval, but for a twentieth of the base interval and what stretching adds', () => {
    withState((policy, steps) => {
      for (const [index, { record, state }] of steps.entries()) {
        if (record === undefined) continue;
        const slotMs = steps[index - 1]?.state.slotAtMs ?? NOON_MS;
        const waitMs = policy.observe === 'base' ? policy.baseIntervalMs : record.intervalMs;
        // A ping that was long confirmed begins a new rhythm.
        const fromMs = record.atMs - slotMs > policy.baseIntervalMs / 4 ? record.atMs : slotMs;
        const longestMs = Math.max(waitMs, Math.min(policy.maxIntervalMs, 2 * waitMs));
        const slackMs = policy.baseIntervalMs / 20 + 1;
        expect(state.slotAtMs - fromMs).toBeGreaterThanOrEqual(waitMs - slackMs);
        expect(state.slotAtMs - fromMs).toBeLessThanOrEqual(longestMs + slackMs);
      }
    });
  });

  it('nothing escalates without evidence, and nothing recovers without a good ping that was judged', () => {
    withState((_, steps) => {
      for (const [index, { state, record }] of steps.entries()) {
        const before = steps[index - 1]?.state.consecutivePoor ?? 0;
        if (state.consecutivePoor > before) {
          expect(['poor', 'no_gpu', 'unreachable', 'refused', 'invalid']).toContain(record?.outcome);
          expect(state.consecutivePoor).toBe(before + 1);
        }
        if (state.consecutivePoor < before)
          expect(record).toMatchObject({ outcome: 'good', uptime: expect.any(Number) });
        if (record?.outcome === 'unobserved') expect(state.consecutivePoor).toBe(before);
      }
    });
  });

  it('no GPU at the instant of a ping costs nothing when the uptime since the last one is what it must be', () => {
    withState((policy, steps) => {
      for (const [index, { state, record }] of steps.entries()) {
        if (record?.outcome !== 'no_gpu' || (record.uptime ?? 0) < policy.uptimeThreshold) continue;
        expect(state).toMatchObject({
          consecutivePoor: steps[index - 1]?.state.consecutivePoor ?? 0,
          goodInARow: steps[index - 1]?.state.goodInARow ?? 0,
        });
      }
    });
  });

  it('recovery is reached by good pings alone, when and in as many as the forecast says', () => {
    withState((policy, _, state) => {
      // A failing agent that answers goes on from the retry, so the forecast holds there too.
      const forecast = recoveryForecast(policy, AGENT, state);
      expect(forecast.pings).toBeLessThanOrEqual(Math.max(policy.recoveryThresholdPings, 1));
      const cursor = state.cursor ?? { bootId: 'boot-a', seq: 1 };
      const from = { ...state, cursor, spanFromMs: state.spanFromMs ?? NOON_MS - MINUTE };
      const good = { reply: answered({ bootId: cursor.bootId }), observed: claim(1) };
      const played = play(policy, times(forecast.pings, good), from);
      expect(played.state.consecutivePoor).toBe(0);
      if (forecast.atMs !== undefined) expect(played.state.lastPingAtMs).toBe(forecast.atMs);
      if (forecast.atMs !== undefined) expect(played.state.intervalMs).toBe(policy.baseIntervalMs);
    });
  });

  it('a restart of the engine is none: through JSON and resumed at any instant before it is due, all goes on as it was', () => {
    fc.assert(
      fc.property(policies, attempts, attempts, fc.double({ min: 0, max: 1, noNaN: true }), (policy, a, b, when) => {
        const { state } = play(policy, a);
        const parsed: PingState = JSON.parse(JSON.stringify(state));
        const lastMs = state.lastAttemptAtMs ?? NOON_MS;
        const nowMs = lastMs + Math.floor(when * (state.nextDueAtMs - lastMs));
        const resumed = resumePing(policy, { agentId: AGENT, state: parsed, nowMs });
        expect(resumed).toBe(parsed);
        expect(play(policy, b, resumed)).toEqual(play(policy, b, state));
      }),
    );
  });

  it('late results change nothing, whatever they are and in whatever order they come', () => {
    const late = fc.array(fc.tuple(attempt, fc.nat({ max: 40 }), fc.double({ min: 0, max: 1, noNaN: true })));
    fc.assert(
      fc.property(policies, attempts, late, (policy, list, stragglers) => {
        const inTime = play(policy, list);
        let state = initialPingState(policy, NOON_MS);
        for (const [index, each] of list.entries()) {
          state = stepPing(policy, state, observe(state, each)).state;
          for (const [straggler, , age] of stragglers.filter(([, at]) => at === index)) {
            const atMs = NOON_MS + Math.floor(age * ((state.lastAttemptAtMs ?? NOON_MS) - NOON_MS));
            const step = stepPing(policy, state, observe(state, { ...straggler, atMs }));
            expect(step.state).toBe(state);
            expect(step.events).toMatchObject([{ kind: 'late' }]);
          }
        }
        expect(state).toEqual(inTime.state);
      }),
    );
  });

  it('every ping is decided within its confirmations', () => {
    withState((policy, steps) => {
      for (const { state } of steps) expect(state.attempts).toBeLessThanOrEqual(policy.confirmMs.length);
    });
  });
});

describe('highestStep', () => {
  it('is the smallest step whose interval is the cap', () => {
    const ladder = fc.record({
      baseIntervalMs: fc.integer({ min: 1, max: 86_400_000 }),
      escalationMultiplier: fc.double({ min: 1.001, max: 100, noNaN: true }),
      maxIntervalMs: fc.integer({ min: 1, max: 7 * 86_400_000 }),
    });
    fc.assert(
      fc.property(
        ladder.filter(({ baseIntervalMs, maxIntervalMs }) => maxIntervalMs >= baseIntervalMs),
        (policy) => {
          const step = highestStep(policy);
          expect(intervalMsOf(policy, step)).toBe(policy.maxIntervalMs);
          const below = policy.baseIntervalMs * policy.escalationMultiplier ** (step - 1);
          if (step > 0) expect(below).toBeLessThan(policy.maxIntervalMs);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['the documented numbers', 15, 2, 24 * 60, 7],
    ['a cap that is a power is reached exactly', 10, 10, 100_000, 4],
    ['a power of which logarithms say one too many', 1, 3, 729, 6],
    ['no room to climb', 15, 2, 15, 0],
    ['a multiplier of 1 climbs for ever, and stays where it is', 15, 1, 60, Number.POSITIVE_INFINITY],
  ])('%s', (_, baseIntervalMs, escalationMultiplier, maxIntervalMs, expected) => {
    expect(highestStep({ baseIntervalMs, escalationMultiplier, maxIntervalMs })).toBe(expected);
  });
});
