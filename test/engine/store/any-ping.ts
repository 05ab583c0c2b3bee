/** Any state and any ping that the types allow. */
import fc from 'fast-check';
import type { PingOutcome } from '../../../engine/core/ping/outcome.ts';
import type { PingRecord, PingState } from '../../../engine/core/ping/state.ts';

const OUTCOMES = {
  good: 1,
  poor: 1,
  no_gpu: 1,
  unreachable: 1,
  refused: 1,
  invalid: 1,
  unobserved: 1,
} satisfies Record<PingOutcome, number>;

const instant = fc.double({ min: 0, max: 4e12, noNaN: true }).map((ms) => (ms === 0 ? 0 : ms));
const skew = fc.double({ min: -4e12, max: 4e12, noNaN: true }).map((ms) => (ms === 0 ? 0 : ms));
const count = fc.nat({ max: 1_000_000 });
const ratio = fc.double({ min: 0, max: 1, noNaN: true }).map((share) => (share === 0 ? 0 : share));
const outcome = fc.constantFrom(...(Object.keys(OUTCOMES) as PingOutcome[]));
const text = fc.string({ unit: 'grapheme', maxLength: 200 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const claim = maybe(fc.record({ uptime: maybe(ratio), coverage: ratio }));
const evidence = fc.record({ claimed: claim, observed: claim, fromMs: instant, toMs: instant });

export const anyState: fc.Arbitrary<PingState> = fc.record({
  sinceMs: instant,
  pings: count,
  consecutivePoor: count,
  goodInARow: count,
  cursor: maybe(fc.record({ bootId: text, seq: fc.maxSafeNat() })),
  spanFromMs: maybe(instant),
  attempts: count,
  failingSinceMs: maybe(instant),
  graceAtMs: maybe(instant),
  lastAttemptAtMs: maybe(instant),
  lastPingAtMs: maybe(instant),
  lastOutcome: maybe(outcome),
  lastReason: maybe(text),
  lastEvidence: maybe(evidence),
  seenAtMs: maybe(instant),
  isUnseen: fc.boolean(),
  isReachable: maybe(fc.boolean()),
  clockSkewMs: maybe(skew),
  slotAtMs: instant,
  nextDueAtMs: instant,
  payDueAtMs: instant,
  intervalMs: instant,
  undo: maybe(fc.record({ consecutivePoor: count, goodInARow: count, isReachable: maybe(fc.boolean()) })),
});

export const anyRecord: fc.Arbitrary<PingRecord> = fc.record({
  agentId: fc.constant('a'),
  atMs: instant,
  sequence: count,
  outcome,
  reason: text,
  evidence: maybe(evidence),
  uptime: maybe(ratio),
  consecutivePoor: count,
  intervalMs: instant,
  nextDueAtMs: instant,
  payDueAtMs: instant,
  roundTripMs: maybe(instant),
  clockSkewMs: maybe(skew),
});
