/** The port through which the engine writes series into Prometheus. */
import type { Labels } from './query.ts';

/** One sample; `stale` ends its series there, so that lookback does not keep it visible. */
export interface WrittenSample {
  readonly atMs: number;
  readonly value: number | 'stale';
}

export interface WrittenSeries {
  /** `__name__` included; labels without a value are left out. */
  readonly labels: Labels;
  /** Oldest first. */
  readonly samples: readonly WrittenSample[];
}

export interface SeriesWriter {
  /** Resolves when Prometheus has all of it, so that the next query sees it. Throws WriteError. */
  write(series: readonly WrittenSeries[], signal: AbortSignal): Promise<void>;
}

/**
 * `no_receiver`: the server takes no remote writes at all. `refused`: it takes some, but not these (out of order, too
 * old), and asking again cannot help. `duplicate`: it holds other values for the same series and instants, which somebody
 * else has written. `failed`: it could not be reached or did not answer in time.
 */
export class WriteError extends Error {
  override readonly name = 'WriteError';
  readonly kind: 'no_receiver' | 'refused' | 'duplicate' | 'failed';

  constructor(kind: WriteError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
