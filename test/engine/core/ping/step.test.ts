import { describe, expect, it } from 'vitest';
import type { PingReply, Sighting } from '../../../../engine/core/ping/outcome.ts';
import { initialPingState, stepPing } from '../../../../engine/core/ping/step.ts';
import { MINUTE, SECOND } from '../fixtures.ts';
import {
  AGENT,
  type Attempt,
  answered,
  claim,
  confirmed,
  FORBIDDEN,
  HOUR,
  INVALID,
  NO_GPU,
  NOON_MS,
  observe,
  type Played,
  POOR,
  pingPolicy,
  play,
  refused,
  times,
  UNREACHABLE,
  UP,
} from './fixtures.ts';

const POLICY = pingPolicy();
const FIRST = UP;

function noGpu(uptime: number | undefined) {
  return answered({ isGpuAvailable: false, reason: 'fell off the bus', claimed: claim(uptime) });
}

function minutes(attempts: readonly Attempt[], policy = POLICY): readonly number[] {
  const records = play(policy, attempts).steps.flatMap(({ record }) => record ?? []);
  return records.map(({ intervalMs }) => intervalMs / MINUTE);
}

/** The last decided ping: outcome, steps climbed, reason. */
function last(attempts: readonly Attempt[], policy = POLICY) {
  const record = play(policy, attempts).steps.at(-1)?.record;
  return record && [record.outcome, record.consecutivePoor, record.reason];
}

describe('the interval', () => {
  it('is 15 min at first, doubles with every poor ping, and stops at 24 h', () => {
    expect(minutes([FIRST, ...times(9, POOR)])).toEqual([15, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440]);
  });

  it('is the base interval at an uptime of exactly the threshold, and escalates just below', () => {
    expect(minutes([FIRST, answered({ claimed: claim(0.99) })])).toEqual([15, 15]);
    expect(minutes([FIRST, answered({ claimed: claim(0.9899) })])).toEqual([15, 30]);
  });

  it('comes back one step per good ping, and all the way with the third in a row', () => {
    expect(minutes([FIRST, ...times(5, POOR), UP, UP, UP])).toEqual([15, 30, 60, 120, 240, 480, 240, 120, 15]);
  });

  it('comes back from the cap in three good pings, however many poor ones there were', () => {
    expect(minutes([FIRST, ...times(30, POOR), UP, UP, UP]).slice(-4)).toEqual([1440, 960, 480, 15]);
  });

  it.each<[string, readonly Attempt[], readonly number[]]>([
    ['one poor ping is made good by one good one', [POOR, UP], [30, 15]],
    [
      'a poor ping breaks a row of good ones',
      [POOR, POOR, POOR, POOR, UP, UP, POOR, UP],
      [30, 60, 120, 240, 120, 60, 120, 60],
    ],
    ['good pings before do not count as a reserve', [UP, UP, POOR, POOR, UP], [15, 15, 30, 60, 30]],
  ])('%s', (_, attempts, expected) => {
    expect(minutes([FIRST, ...attempts]).slice(1)).toEqual(expected);
  });

  it('follows every number of the policy', () => {
    const change = {
      baseIntervalMs: MINUTE,
      escalationMultiplier: 3,
      maxIntervalMs: 20 * MINUTE,
      uptimeThreshold: 0.5,
    };
    const policy = pingPolicy({ ...change, recoveryThresholdPings: 2 });
    const low = answered({ claimed: claim(0.4) });
    expect(minutes([FIRST, POOR, low, low, low, low, UP, UP], policy)).toEqual([1, 1, 3, 9, 20, 20, 9, 1]);
  });
});

describe('the first ping', () => {
  it.each<[string, readonly Attempt[], string, string]>([
    ['finds a GPU', [POOR], 'good', 'first answer: the GPU is there'],
    ['finds none', [NO_GPU], 'no_gpu', 'no GPU: GPU 0 fell off the bus'],
    [
      'cannot tell yet',
      [answered({ isGpuAvailable: undefined, reason: 'nothing has been read yet' })],
      'unobserved',
      'the agent cannot say whether there is a GPU: nothing has been read yet',
    ],
    [
      'finds nobody',
      confirmed(UNREACHABLE),
      'unreachable',
      'unreachable since 12:00:00Z, asked 4 times: connection refused',
    ],
  ])('%s, and the interval is the base interval', (_, attempts, outcome, reason) => {
    expect(last(attempts)).toEqual([outcome, 0, reason]);
    expect(minutes(attempts)).toEqual([15]);
  });

  it('is judged like any other where the grace is off', () => {
    const policy = pingPolicy({ firstPingGracePeriod: false });
    expect(last([NO_GPU], policy)).toEqual(['no_gpu', 1, 'no GPU: GPU 0 fell off the bus']);
    expect(last([{ reply: POOR, atMs: NOON_MS + MINUTE }], policy)?.slice(0, 2)).toEqual(['poor', 1]);
  });
});

describe('later pings', () => {
  it('say the span, both sides and the threshold', () => {
    const attempt = { reply: answered({ claimed: claim(0.999) }), observed: claim(0.952) };
    expect(last([FIRST, attempt])).toEqual([
      'poor',
      1,
      'uptime 95.2% < 99% since 12:00:00Z (claimed 99.9%, observed 95.2%)',
    ]);
  });

  it.each<[string, Attempt, string, string]>([
    ['good', UP, 'good', 'uptime 100.0% ≥ 99% since 12:00:00Z (claimed 100.0%, observed nothing)'],
    [
      'without a GPU for long',
      noGpu(0.9),
      'no_gpu',
      'no GPU: fell off the bus; uptime 90.0% < 99% since 12:00:00Z (claimed 90.0%, observed nothing)',
    ],
    [
      'without a GPU nobody knows for how long',
      noGpu(undefined),
      'no_gpu',
      'no GPU: fell off the bus; nothing is known since 12:00:00Z (claimed nothing, observed nothing)',
    ],
    ['not to be asked', FORBIDDEN, 'unobserved', 'not asked: a link-local address'],
    [
      'nobody knows',
      { reply: answered({ claimed: claim(undefined) }), observed: claim(1, 0.12) },
      'unobserved',
      'nothing is known since 12:00:00Z (claimed nothing, observed for 12.0% of it)',
    ],
    [
      'of an agent that hardly looked',
      { reply: answered({ claimed: claim(0.12, 0.12) }), observed: claim(1) },
      'poor',
      'uptime 12.0% < 99% since 12:00:00Z (claimed 12.0%, observed 100.0%)',
    ],
  ])('%s', (_, attempt, outcome, reason) => {
    expect(last([FIRST, attempt])).toEqual([outcome, ['no_gpu', 'poor'].includes(outcome) ? 1 : 0, reason]);
  });

  it('keep the interval when there is no GPU just now and the uptime is what it must be', () => {
    const { state, steps } = play(POLICY, [FIRST, POOR, UP, POOR, noGpu(0.999)]);
    expect(steps.at(-1)?.record).toMatchObject({
      outcome: 'no_gpu',
      uptime: 0.999,
      consecutivePoor: 1,
      reason: expect.stringMatching(
        /^no GPU now: fell off the bus; uptime 99\.9% ≥ 99% since .* \(claimed 99\.9%, observed nothing\), so the interval stays$/,
      ),
    });
    expect(state).toMatchObject({ consecutivePoor: 1, goodInARow: 0, intervalMs: 30 * MINUTE });
    expect(last([FIRST, { reply: noGpu(0.99), observed: claim(0.98) }])?.slice(0, 2)).toEqual(['no_gpu', 1]);
  });

  it.each([
    ['low', noGpu(0.9), 10 * MINUTE, 0],
    ['low for longer than that', noGpu(0.9), MINUTE, 1],
    ['unknown', noGpu(undefined), MINUTE, 0],
  ])("excuse a missing GPU by the engine's own outage: %s", (_, reply, outageMs, poor) => {
    const [outcome, steps, reason] = last([FIRST, { reply, outageMs }]) ?? [];
    expect([outcome, steps]).toEqual(['no_gpu', poor]);
    expect(String(reason).includes('the engine itself was away')).toBe(poor === 0);
  });

  it('name the day of a span that began more than a day ago', () => {
    const { state } = play(POLICY, [FIRST, ...times(8, POOR)]);
    const { steps } = play(POLICY, [{ reply: POOR, atMs: state.nextDueAtMs + HOUR }], state);
    expect(steps[0]?.record?.reason).toMatch(/^uptime 90\.0% < 99% since 2023-11-16T\d\d:\d\d:\d\dZ \(/);
  });
});

describe('a failure', () => {
  it.each([
    ['unreachable', UNREACHABLE, 'unreachable since 12:15:00Z, asked 4 times: connection refused'],
    ['refused', refused(), 'refused since 12:15:00Z, asked 4 times: HTTP 503'],
    ['invalid', INVALID, 'no valid answer since 12:15:00Z, asked 4 times: not JSON'],
  ])('%s is confirmed after 2, 4 and 8 s, and counts as poor then', (outcome, reply, reason) => {
    const from = {
      ...play(POLICY, [FIRST]).state,
      slotAtMs: NOON_MS + 15 * MINUTE,
      nextDueAtMs: NOON_MS + 15 * MINUTE,
    };
    const { state, steps } = play(POLICY, confirmed(reply), from);
    expect(steps.map(({ record, events }) => [record?.outcome, events.map(({ kind }) => kind)])).toEqual([
      [undefined, ['retry']],
      [undefined, ['retry']],
      [undefined, ['retry']],
      [outcome, ['escalated']],
    ]);
    expect(steps.map(({ state: { lastAttemptAtMs } }) => ((lastAttemptAtMs ?? 0) - from.nextDueAtMs) / SECOND)).toEqual(
      [0, 2, 6, 14],
    );
    expect(steps.at(-1)?.record).toMatchObject({ reason, consecutivePoor: 1, sequence: 2 });
    // Confirming took time, and the rhythm stays what it was.
    expect(state.nextDueAtMs).toBe(from.nextDueAtMs + 30 * MINUTE);
  });

  it('is forgotten when a retry is answered', () => {
    const { state, steps } = play(POLICY, [FIRST, UNREACHABLE, UNREACHABLE, UP]);
    expect(steps.at(-1)?.record?.outcome).toBe('good');
    expect(state).toMatchObject({ attempts: 0, failingSinceMs: undefined, consecutivePoor: 0, pings: 2 });
  });

  it('counts the wait from the end of the attempt, not from its beginning', () => {
    const { state } = play(POLICY, [FIRST]);
    const atMs = state.nextDueAtMs;
    const { state: after } = play(POLICY, [{ reply: UNREACHABLE, endedAtMs: atMs + 10 * SECOND }], state);
    expect(after.nextDueAtMs - atMs).toBe(12 * SECOND);
  });

  it.each([
    ['is honoured', 60 * SECOND, 60 * SECOND],
    ['is bounded', HOUR, 5 * MINUTE],
    ['is never shorter than the confirmation', 0, 2 * SECOND],
  ])('Retry-After %s', (_, retryAfterMs, waitMs) => {
    const { state, steps } = play(POLICY, [FIRST, refused(retryAfterMs)]);
    expect(state.nextDueAtMs - (state.lastAttemptAtMs ?? 0)).toBe(waitMs);
    expect(steps.at(-1)?.events).toMatchObject([{ kind: 'retry', attempts: 1, reason: 'refused: HTTP 503' }]);
  });

  it('cannot be put off for ever by Retry-After, nor by failing in turns', () => {
    expect(minutes([FIRST, ...confirmed(refused(HOUR))])).toEqual([15, 30]);
    expect(minutes([FIRST, refused(1), UNREACHABLE, INVALID, refused(1)])).toEqual([15, 30]);
  });

  it('counts at once where nothing is to be confirmed', () => {
    const policy = pingPolicy({ confirmMs: [] });
    expect(last([FIRST, UNREACHABLE], policy)).toEqual(['unreachable', 1, 'unreachable: connection refused']);
  });

  it('does not move the cursor: the next answer is about all of the time', () => {
    const { state, steps } = play(POLICY, [FIRST, ...confirmed(UNREACHABLE), POOR]);
    expect(steps.at(-1)?.record?.evidence).toMatchObject({ fromMs: NOON_MS, toMs: state.lastPingAtMs });
  });

  it('counts for nothing while the engine suspects itself, is asked less often, and recoveries go on', () => {
    const { state: before } = play(POLICY, [FIRST, POOR]);
    const { state, steps } = play(POLICY, [{ reply: UNREACHABLE, isSuspect: true }], before);
    expect(steps[0]?.record).toMatchObject({ outcome: 'unobserved', consecutivePoor: 1, intervalMs: 30 * MINUTE });
    expect(steps[0]?.record?.reason).toBe(
      'unreachable: connection refused; the engine suspects itself, so it does not count',
    );
    expect(state.nextDueAtMs - before.slotAtMs).toBe(60 * MINUTE);
    expect(state.payDueAtMs - before.slotAtMs).toBe(30 * MINUTE);
    const recovery = play(POLICY, [{ reply: UP, isSuspect: true }], state).steps[0];
    expect(recovery?.record).toMatchObject({ outcome: 'good', consecutivePoor: 0 });
    expect(recovery?.events).toMatchObject([{ kind: 'recovered' }]);
  });
});

describe('a restart of the agent', () => {
  const rebooted = (boot: string, uptime: number | undefined, continuity = 'complete') =>
    answered({ bootId: boot, seq: 3, claimed: claim(uptime), continuity });

  it('is judged as usual when the uptime is good', () => {
    const { state, steps } = play(POLICY, [FIRST, rebooted('boot-b', 0.995)]);
    expect(steps.at(-1)?.events).toMatchObject([{ kind: 'restarted', bootId: 'boot-b', isGrace: false }]);
    expect(state).toMatchObject({ lastOutcome: 'good', graceAtMs: undefined, goodInARow: 1 });
  });

  it('is let off once in 24 h, which neither escalates nor recovers', () => {
    const { state, steps } = play(POLICY, [FIRST, POOR, rebooted('boot-b', 0.5)]);
    expect(state).toMatchObject({
      lastOutcome: 'good',
      consecutivePoor: 1,
      goodInARow: 0,
      graceAtMs: state.lastPingAtMs,
    });
    expect(state.lastReason).toMatch(
      /^restarted: the GPU is there, which is enough once in 24h, so it is let off; the interval stays; uptime 50\.0% < 99% /,
    );
    expect(steps.at(-1)?.events).toMatchObject([{ kind: 'restarted', isGrace: true }]);
    const again = play(POLICY, [rebooted('boot-c', 0.5)], state);
    expect(again.state).toMatchObject({ lastOutcome: 'poor', consecutivePoor: 2 });
  });

  it('is let off again after 24 h', () => {
    const { state } = play(POLICY, [FIRST, rebooted('boot-b', 0.5)]);
    const later = (byMs: number) => ({ reply: rebooted('boot-c', 0.5), atMs: (state.graceAtMs ?? 0) + byMs });
    expect(play(POLICY, [later(24 * HOUR - 1)], state).state.lastOutcome).toBe('poor');
    expect(play(POLICY, [later(24 * HOUR)], state).state.lastOutcome).toBe('good');
  });

  it('does not excuse a missing GPU', () => {
    const attempt = answered({ bootId: 'boot-b', isGpuAvailable: false, reason: 'none', claimed: claim(0.5) });
    const reason = 'no GPU: none; uptime 50.0% < 99% since 12:00:00Z (claimed 50.0%, observed nothing)';
    expect(last([FIRST, attempt])).toEqual(['no_gpu', 1, reason]);
  });

  it('with a lost history leaves the word to Prometheus, and is poor when it happens again and nobody knows', () => {
    const lost = rebooted('boot-b', undefined, 'history_lost');
    expect(last([FIRST, { reply: lost, observed: claim(1) }])?.[0]).toBe('good');
    expect(last([FIRST, lost])?.slice(0, 2)).toEqual(['good', 0]);
    expect(last([FIRST, lost, rebooted('boot-c', undefined, 'history_lost')])).toEqual([
      'poor',
      1,
      expect.stringMatching(/^history lost again; nothing is known since .* \(claimed nothing, observed nothing\)$/),
    ]);
    const ours = { reply: rebooted('boot-c', undefined, 'history_lost'), outageMs: SECOND };
    expect(last([FIRST, lost, ours])?.slice(0, 2)).toEqual(['unobserved', 0]);
  });
});

describe('what is known of an agent between two pings', () => {
  const known = (...attempts: readonly Attempt[]) => play(POLICY, attempts).state.isReachable;

  it.each<[string, readonly Attempt[], boolean | undefined]>([
    ['nothing before the first ping', [], undefined],
    ['nothing while a failure waits for confirmation', [UNREACHABLE], undefined],
    ['that it answers', [FIRST], true],
    ['that it answers, whatever it answers', [FIRST, NO_GPU], true],
    ['that it does not, once the failure has counted', [FIRST, ...confirmed(INVALID)], false],
    ['that it did not even when it was asked first', confirmed(UNREACHABLE), false],
    ['that it answered, when the engine suspects itself', [FIRST, { reply: UNREACHABLE, isSuspect: true }], true],
    ['that it did not answer, when it may not be asked any more', [...confirmed(UNREACHABLE), FORBIDDEN], false],
    ['that it answers again', [...confirmed(UNREACHABLE), UP], true],
  ])('is %s', (_, attempts, expected) => {
    expect(known(...attempts)).toBe(expected);
  });

  it('is the evidence of the newest span, also after pings that bring none', () => {
    const observed = claim(0.8);
    const { state } = play(POLICY, [FIRST, { reply: UP, observed }]);
    expect(play(POLICY, [FIRST]).state.lastEvidence).toBeUndefined();
    expect(state.lastEvidence).toEqual({ claimed: claim(1), observed, fromMs: NOON_MS, toMs: state.lastPingAtMs });
    expect(play(POLICY, confirmed(UNREACHABLE), state).state.lastEvidence).toBe(state.lastEvidence);
    expect(play(POLICY, [UP], state).state.lastEvidence?.observed).toBeUndefined();
  });
});

describe("the engine's own outage", () => {
  it.each([
    ['explains all of it', 10 * MINUTE, 'unobserved', 0],
    ['explains some of it', MINUTE, 'poor', 1],
    ['was longer than the span', 24 * HOUR, 'unobserved', 0],
  ])('%s', (_, outageMs, outcome, steps) => {
    expect(last([FIRST, { reply: POOR, outageMs }])?.slice(0, 2)).toEqual([outcome, steps]);
  });

  it('takes nothing from a good ping, and is named in the reason', () => {
    expect(last([FIRST, POOR, { reply: UP, outageMs: HOUR }])?.slice(0, 2)).toEqual(['good', 0]);
    expect(last([FIRST, { reply: POOR, outageMs: 10 * MINUTE }])?.[2]).toBe(
      'uptime 90.0% < 99% since 12:00:00Z (claimed 90.0%, observed nothing); the engine itself was away for 10m of it, so it does not count',
    );
  });
});

describe('results that are not applied', () => {
  const { state } = play(POLICY, [FIRST, POOR]);

  it('late: begun before, or together with, the newest attempt', () => {
    for (const atMs of [NOON_MS, state.lastAttemptAtMs ?? 0]) {
      const step = stepPing(POLICY, state, observe(state, { reply: UP, atMs }));
      expect(step).toEqual({
        state,
        record: undefined,
        events: [{ kind: 'late', atMs, newestAtMs: state.lastAttemptAtMs }],
      });
    }
  });

  it('early: asking again and again neither escalates nor recovers', () => {
    const atMs = (state.lastAttemptAtMs ?? 0) + SECOND;
    const step = stepPing(POLICY, state, observe(state, { reply: UP, atMs }));
    expect(step.state).toBe(state);
    expect(step.events).toMatchObject([
      { kind: 'early', atMs, dueAtMs: state.nextDueAtMs, verdict: { outcome: 'good' } },
    ]);
    const failing = play(POLICY, [UNREACHABLE], state).state;
    const hurried = observe(failing, { reply: UNREACHABLE, atMs: failing.nextDueAtMs - 1 });
    expect(stepPing(POLICY, failing, hurried).state).toBe(failing);
  });
});

describe('an agent that Prometheus has seen', () => {
  const SEEN = { reply: UP, observed: { ...claim(1), watched: 1 } };
  const WATCHED = { uptime: undefined, coverage: 0, watched: 1 };
  const unseen = (reply: PingReply = UP, observed: Sighting = WATCHED) => ({ reply, observed });
  const about = ({ state, steps }: Played) => [
    steps.at(-1)?.record?.outcome,
    state.consecutivePoor,
    state.goodInARow,
    state.isUnseen,
  ];

  it('is not eased by its own word alone while Prometheus watches and knows none of its GPUs', () => {
    const before = play(POLICY, [FIRST, SEEN, POOR, POOR]).state;
    const { state, steps } = play(POLICY, times(5, unseen()), before);
    expect(steps.map(({ record }) => [record?.outcome, record?.consecutivePoor, record?.uptime])).toEqual(
      times(5, ['unobserved', 2, undefined]),
    );
    expect(steps[0]?.record?.reason).toMatch(
      /^uptime 100\.0% ≥ 99% since \d\d:\d\d:\d\dZ \(claimed 100\.0%, observed nothing\); Prometheus watched, and has not known a GPU of it since 12:1\d:\d\dZ; its own word alone does not count for an agent that was seen before$/,
    );
    expect(state).toMatchObject({ isUnseen: true, seenAtMs: before.seenAtMs, goodInARow: 0 });
    expect(about(play(POLICY, [SEEN], state))).toEqual(['good', 1, 1, false]);
  });

  it.each<[string, Sighting | undefined, boolean]>([
    ['nobody watched', { ...WATCHED, watched: 0 }, false],
    ['Prometheus watched too little of it', { ...WATCHED, watched: 0.49 }, false],
    ['Prometheus did not answer', undefined, false],
    ['it is not known whether anybody watched', claim(undefined), false],
    ['it was forgotten on the way', { ...claim(1, 0.3), watched: 1 }, true],
    ['it was known for most of what little was watched', { ...claim(1, 0.4), watched: 0.6 }, false],
    ['Prometheus watched and knew nothing', WATCHED, true],
  ])('counts by its own word unless Prometheus was there: %s', (_, observed, isUnseen) => {
    const attempt = observed === undefined ? UP : unseen(UP, observed);
    const expected = isUnseen ? ['unobserved', 1, 0, true] : ['good', 0, 1, false];
    expect(about(play(POLICY, [FIRST, SEEN, POOR, attempt]))).toEqual(expected);
  });

  it('is what it was before while nobody tells anything else', () => {
    const { state } = play(POLICY, [FIRST, SEEN, unseen(), UP, ...confirmed(UNREACHABLE)]);
    expect(state.isUnseen).toBe(true);
    expect(play(pingPolicy({ evidence: 'agent' }), [UP], state).state.isUnseen).toBe(false);
  });

  it('is poor when it says so itself, and pays for a missing GPU', () => {
    expect(about(play(POLICY, [FIRST, SEEN, unseen(POOR)]))).toEqual(['poor', 1, 0, true]);
    expect(about(play(POLICY, [FIRST, SEEN, unseen(NO_GPU)]))).toEqual(['no_gpu', 1, 0, true]);
  });

  it.each(['agent', 'prometheus'] as const)('has that rule for evidence of both alone, not of the %s', (evidence) => {
    const policy = pingPolicy({ evidence });
    const outcome = evidence === 'agent' ? 'good' : 'unobserved';
    expect(play(policy, [FIRST, SEEN, unseen()]).state.lastOutcome).toBe(outcome);
  });

  it('is believed when it was never seen: it may be out of reach', () => {
    const { state } = play(POLICY, [FIRST, POOR, ...times(3, unseen())]);
    expect(state).toMatchObject({ lastOutcome: 'good', consecutivePoor: 0, isUnseen: false, seenAtMs: undefined });
  });
});

describe('observe: base', () => {
  const BOTH = pingPolicy({ observe: 'base' });

  it('looks at a poor agent at the base interval, and lets it climb once per pay interval as observe: pay does', () => {
    const { steps, state } = play(BOTH, [FIRST, ...times(140, POOR)]);
    const climbs = steps.flatMap(({ events, record }) => (events[0]?.kind === 'escalated' && record ? [record] : []));
    expect(climbs.map(({ intervalMs }) => intervalMs / MINUTE)).toEqual([30, 60, 120, 240, 480, 960, 1440]);
    const gaps = climbs
      .slice(1)
      .map(({ atMs }, index) => Math.round((atMs - (climbs[index]?.atMs ?? 0)) / (15 * MINUTE)));
    expect(gaps).toEqual([2, 4, 8, 16, 32, 64]);
    expect(state.payDueAtMs).toBeGreaterThan(state.nextDueAtMs);
  });

  it('sees the recovery at once, and shortens the pay interval with every good ping', () => {
    const climbed = play(BOTH, [FIRST, ...times(140, POOR)]).state;
    const { steps } = play(BOTH, [UP, UP, UP], climbed);
    const records = steps.flatMap(({ record }) => record ?? []);
    expect(records.map(({ intervalMs }) => intervalMs / MINUTE)).toEqual([960, 480, 15]);
    const [, , third] = records;
    expect(third?.payDueAtMs).toBe(third?.nextDueAtMs);
    expect(Math.abs((third?.atMs ?? 0) - climbed.nextDueAtMs - 30 * MINUTE)).toBeLessThanOrEqual(0.1 * 15 * MINUTE);
  });
});

describe('a good ping between two pay instants', () => {
  const policy = pingPolicy({ observe: 'base' });

  it('never puts off the instant at which the interval in force runs out', () => {
    const climbed = play(policy, [FIRST, ...times(8, POOR)]).state;
    expect(climbed.intervalMs).toBe(120 * MINUTE);
    // Two looks before the pay instant, an interval of an hour from now would end after it.
    const looks = Math.floor((climbed.payDueAtMs - climbed.nextDueAtMs) / (15 * MINUTE)) - 2;
    const before = play(policy, times(looks, POOR), climbed).state;
    expect(before.payDueAtMs).toBe(climbed.payDueAtMs);
    const { state } = play(policy, [UP], before);
    expect(state).toMatchObject({ intervalMs: 60 * MINUTE, payDueAtMs: climbed.payDueAtMs });
    expect(state.payDueAtMs).toBeLessThan((state.lastPingAtMs ?? 0) + 60 * MINUTE);
  });

  it('brings it nearer when the shorter interval ends before', () => {
    const climbed = play(policy, [FIRST, ...times(8, POOR)]).state;
    const { state } = play(policy, [UP], climbed);
    expect(state.payDueAtMs).toBeLessThan(climbed.payDueAtMs);
    expect(state.payDueAtMs).toBe(climbed.slotAtMs + 60 * MINUTE);
  });
});

describe('a registered agent', () => {
  it('is due at once, at the base interval', () => {
    expect(initialPingState(POLICY, NOON_MS)).toMatchObject({
      nextDueAtMs: NOON_MS,
      payDueAtMs: NOON_MS,
      intervalMs: 15 * MINUTE,
      pings: 0,
    });
  });

  it('has a record with every decided ping', () => {
    const { state, steps } = play(POLICY, [FIRST, { reply: answered({ claimed: claim(0.9) }), observed: claim(0.8) }]);
    expect(steps[1]?.record).toEqual({
      agentId: AGENT,
      atMs: state.lastPingAtMs,
      sequence: 2,
      outcome: 'poor',
      reason: 'uptime 80.0% < 99% since 12:00:00Z (claimed 90.0%, observed 80.0%)',
      evidence: { claimed: claim(0.9), observed: claim(0.8), fromMs: NOON_MS, toMs: state.lastPingAtMs },
      uptime: 0.8,
      consecutivePoor: 1,
      intervalMs: 30 * MINUTE,
      nextDueAtMs: state.nextDueAtMs,
      payDueAtMs: state.nextDueAtMs,
      roundTripMs: 12,
    });
  });

  it('is remembered with how far its clock is ahead, until another answer tells', () => {
    const skewed = (clockSkewMs?: number) => ({ ...UP, clockSkewMs });
    const { steps } = play(POLICY, [skewed(90_000), ...confirmed(UNREACHABLE), skewed(), skewed(-20)]);
    const told = steps.filter(({ record }) => record !== undefined);
    expect(told.map(({ record, state }) => [record?.clockSkewMs, state.clockSkewMs])).toEqual([
      [90_000, 90_000],
      [undefined, 90_000],
      [undefined, 90_000],
      [-20, -20],
    ]);
  });
});
