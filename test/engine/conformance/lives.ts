/** Lives of one alert: what its query yields at each evaluation, what became of it, and what the specification says. */
import fc from 'fast-check';
import type { Sample } from '../../../engine/prometheus/query.ts';
import type { ActiveAlert } from '../../../engine/rules/status.ts';
import { MINUTE, openStage, type Sent } from './stage.ts';

export interface Life {
  readonly intervalMs: number;
  readonly forMs: number;
  readonly resendDelayMs: number;
  /** From the zero of the data to the first evaluation. */
  readonly offsetMs: number;
  /** The query's value at each evaluation; undefined where it yields nothing. */
  readonly values: readonly (number | undefined)[];
}

/** One evaluation, and what could be seen after it. Instants are milliseconds after zero. */
export interface Lived {
  readonly at: number;
  readonly alerts: readonly ActiveAlert[];
  readonly messages: readonly Sent[];
  /** What the query for ALERTS yields. */
  readonly shown: readonly Sample[];
}

/** Intervals that people write and odd ones, and `for` below, between and on the evaluations. */
const timing = fc
  .record({
    intervalMs: fc.oneof(fc.constantFrom(5000, 15_000, 30_000, MINUTE), fc.integer({ min: 1000, max: 90_000 })),
    forShare: fc.oneof(fc.constantFrom(0, 0.5, 1, 2, 3), fc.double({ min: 0, max: 4, noNaN: true })),
    resendDelayMs: fc.oneof(fc.constant(MINUTE), fc.integer({ min: 1000, max: 3 * MINUTE })),
    offsetShare: fc.oneof(fc.constantFrom(0, 0.5), fc.double({ min: 0, max: 0.999, noNaN: true })),
  })
  .map(({ intervalMs, forShare, resendDelayMs, offsetShare }) => ({
    intervalMs,
    forMs: Math.round(intervalMs * forShare),
    resendDelayMs,
    offsetMs: Math.floor(intervalMs * offsetShare),
  }));

const values = fc
  .array(fc.tuple(fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }), fc.integer({ min: 1, max: 6 })), {
    minLength: 1,
    maxLength: 7,
  })
  .map((runs) => runs.flatMap(([value, times]) => Array.from({ length: times }, () => value)));

export const anyLife: fc.Arbitrary<Life> = fc
  .record({ timing, values })
  .map((parts) => ({ ...parts.timing, values: parts.values }));

/** Lives that fire and then end for good: twenty minutes of nothing, long enough for the last word about it. */
export const anyEndedLife: fc.Arbitrary<Life> = timing.map(({ intervalMs, forMs, ...rest }) => {
  const active = Math.ceil(forMs / intervalMs) + 2;
  const quiet = Math.ceil((20 * MINUTE) / Math.max(intervalMs, 10_000));
  const ended = Array.from({ length: active + quiet }, (_, index) => (index < active ? 1 : undefined));
  return { intervalMs: Math.max(intervalMs, 10_000), forMs, ...rest, values: ended };
});

export const ALERT_LABELS = { alertname: 'A', gpu: '3', severity: 'page' };

/** Plays a life through the evaluator, evaluation by evaluation. */
export async function live({ intervalMs, forMs, resendDelayMs, offsetMs, values }: Life): Promise<readonly Lived[]> {
  const rule = `{ alert: A, expr: x, for: ${forMs}ms, labels: { severity: page }, annotations: { value: '{{ $value }}' } }`;
  const stage = await openStage({
    rules: `groups: [{ name: g, interval: ${intervalMs}ms, rules: [${rule}] }]`,
    offsetMs,
    answers: {
      x: (ms) => {
        const value = values[Math.round((ms - offsetMs) / intervalMs)];
        return value === undefined ? [] : [{ labels: { __name__: 'x', gpu: '3' }, value }];
      },
    },
    options: { resendDelayMs },
  });
  const { zero } = stage;
  const lived: Lived[] = [];
  for (const index of values.keys()) {
    const at = offsetMs + index * intervalMs;
    await stage.until(at);
    const alerts = stage.evaluator.activeAlerts().map((one) => ({
      ...one,
      activeAt: one.activeAt - zero,
      firedAt: one.firedAt === undefined ? undefined : one.firedAt - zero,
    }));
    const messages = stage.sent.splice(0).map((one) => ({
      ...one,
      at: one.at - zero,
      startsAt: one.startsAt - zero,
      endsAt: one.endsAt - zero,
    }));
    lived.push({ at, alerts, messages, shown: stage.series.select('ALERTS', {}, zero + at) });
  }
  await stage.close();
  return lived;
}

/** What the specification says of each evaluation, told from the values alone. */
export interface Told {
  readonly at: number;
  readonly value: number | undefined;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly activeAt: number | undefined;
  readonly firedAt: number | undefined;
  /** When the last firing alert ended; undefined while none has, or once there is a new alert. */
  readonly resolvedAt: number | undefined;
}

function tell({ values, intervalMs, forMs, offsetMs }: Life): readonly Told[] {
  const told: Told[] = [];
  for (const [index, value] of values.entries()) {
    const at = offsetMs + index * intervalMs;
    const before = told.at(-1);
    if (value === undefined) {
      const resolvedAt = before?.state === 'firing' ? at : before?.resolvedAt;
      told.push({ at, value, state: 'inactive', activeAt: undefined, firedAt: undefined, resolvedAt });
      continue;
    }
    const activeAt = before?.activeAt ?? at;
    const isFiring = at - activeAt >= forMs;
    const firedAt = before?.firedAt ?? (isFiring ? at : undefined);
    told.push({ at, value, state: isFiring ? 'firing' : 'pending', activeAt, firedAt, resolvedAt: undefined });
  }
  return told;
}

/** Every life that is tried, with what was seen and what was to be seen. */
export function everyLife(
  lives: fc.Arbitrary<Life>,
  check: (lived: readonly Lived[], told: readonly Told[], life: Life) => void,
  numRuns = 40,
): Promise<void> {
  return fc.assert(
    fc.asyncProperty(lives, async (life) => check(await live(life), tell(life), life)),
    { numRuns },
  );
}
