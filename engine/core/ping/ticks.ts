/** The ticks of a span between two pings, and what they amount to. */
import type { Policy } from '../policy.ts';
import { latestSettledTick } from '../tick.ts';
import type { Sighting } from './outcome.ts';

/** `ticks` instants, `stepMs` apart; the last is `lastMs`. */
export interface TickSpan {
  readonly lastMs: number;
  readonly ticks: number;
  readonly stepMs: number;
}

/** Ticks of one GPU within a span. At the others nobody watched, or the GPU was not known. */
interface TickCounts {
  readonly up: number;
  readonly down: number;
}

/** A day and some hours at the default interval; what a query costs Prometheus grows with them. */
const MOST_TICKS = 20_000;

/**
 * The ticks that settled after `fromMs` and by `toMs`: of spans which follow one another each tick is in exactly one. Of a
 * span with too many, every second one, or third, and so on: always whole steps of the grid. Undefined when there is none.
 */
export function ticksWithin(
  { intervalMs, settleMs }: Pick<Policy, 'intervalMs' | 'settleMs'>,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): TickSpan | undefined {
  const stepMs = intervalMs * Math.max(1, Math.ceil((toMs - fromMs) / intervalMs / MOST_TICKS));
  const lastMs = latestSettledTick(toMs, stepMs, settleMs);
  const ticks = (lastMs - latestSettledTick(fromMs, stepMs, settleMs)) / stepMs;
  return ticks > 0 ? { lastMs, ticks, stepMs } : undefined;
}

/** What Prometheus has of a span. */
export interface SpanCounts {
  /** Of each GPU that was known at any of the ticks. */
  readonly gpus: readonly TickCounts[];
  /** Ticks at which somebody watched, whatever there was to see. */
  readonly watched: number;
}

/** What is known of GPUs that were each to be seen at `ticks` ticks: by capacity, so a node's GPUs weigh alike. */
export function observedUptime({ gpus, watched }: SpanCounts, ticks: number): Sighting {
  const up = gpus.reduce((sum, gpu) => sum + gpu.up, 0);
  const known = gpus.reduce((sum, gpu) => sum + gpu.up + gpu.down, 0);
  const share = watched / ticks;
  return known === 0
    ? { uptime: undefined, coverage: 0, watched: share }
    : { uptime: up / known, coverage: known / (gpus.length * ticks), watched: share };
}
