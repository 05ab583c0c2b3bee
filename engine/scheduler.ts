/** The engine's clock: one round when each tick has settled; a failed round is made up for by the next. */
import { latestSettledTick } from './core/tick.ts';
import { QueryError } from './prometheus/query.ts';

export interface Clock {
  readonly now: () => number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The tick grid and how long a tick has to settle, milliseconds. */
interface Grid {
  readonly intervalMs: number;
  readonly settleMs: number;
}

export interface SchedulerOptions {
  readonly clock: Clock;
  /** Asked before every wait, because a reload may change it. */
  readonly grid: () => Grid;
  /** Judges what is due. Rejects with QueryError when Prometheus does not answer. */
  readonly round: (signal: AbortSignal) => Promise<void>;
  readonly onFailure: (error: QueryError) => void;
}

/** Runs rounds until the signal aborts; they never overlap. */
export async function runScheduler(options: SchedulerOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await runRound(options, signal);
    await options.clock.sleep(msToNextRound(options), signal);
  }
}

async function runRound({ round, onFailure }: SchedulerOptions, signal: AbortSignal): Promise<void> {
  try {
    await round(signal);
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    if (!signal.aborted) onFailure(error);
  }
}

function msToNextRound({ clock, grid }: SchedulerOptions): number {
  const { intervalMs, settleMs } = grid();
  const nowMs = clock.now();
  return latestSettledTick(nowMs, intervalMs, settleMs) + intervalMs + settleMs - nowMs;
}
