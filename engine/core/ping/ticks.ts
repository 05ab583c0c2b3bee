/** The ticks of a span between two pings, and what they amount to. */
import type { Policy } from '../policy.ts';
import { latestSettledTick, tickAtOrBefore } from '../tick.ts';
import type { UptimeClaim } from './outcome.ts';

/** `ticks` instants, `stepMs` apart; the last is `lastMs`. */
export interface TickSpan {
  readonly lastMs: number;
  readonly ticks: number;
  readonly stepMs: number;
}

/** Ticks of one GPU within a span. At the others nobody watched, or the GPU was not known. */
export interface TickCounts {
  readonly up: number;
  readonly down: number;
}

/** A day and some hours at the default interval; what a query costs Prometheus grows with them. */
const MOST_TICKS = 20_000;

/**
 * The ticks after `fromMs`, up to the last that had settled by `toMs`, so that spans which follow one another share none.
 * Of a span with too many, every second one, or third, and so on: always whole steps of the grid. Undefined when there is none.
 */
export function ticksWithin(
  { intervalMs, settleMs }: Pick<Policy, 'intervalMs' | 'settleMs'>,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): TickSpan | undefined {
  const stepMs = intervalMs * Math.max(1, Math.ceil((toMs - fromMs) / intervalMs / MOST_TICKS));
  const lastMs = latestSettledTick(toMs, stepMs, settleMs);
  const ticks = (lastMs - tickAtOrBefore(fromMs, stepMs)) / stepMs;
  return ticks > 0 ? { lastMs, ticks, stepMs } : undefined;
}

/** What is known of GPUs that were each to be seen at `ticks` ticks: by capacity, so a node's GPUs weigh alike. */
export function observedUptime(gpus: readonly TickCounts[], ticks: number): UptimeClaim {
  const up = gpus.reduce((sum, gpu) => sum + gpu.up, 0);
  const watched = gpus.reduce((sum, gpu) => sum + gpu.up + gpu.down, 0);
  return watched === 0
    ? { uptime: undefined, coverage: 0 }
    : { uptime: up / watched, coverage: watched / (gpus.length * ticks) };
}
