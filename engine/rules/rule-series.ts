/** The series that one rule writes: what it yielded last, and what Prometheus may still show of it. */
import type { Labels } from '../prometheus/query.ts';
import type { WrittenSeries } from '../prometheus/series-writer.ts';

/** One series of an evaluation. */
export interface YieldedSeries {
  /** Identity among the series of the rule. */
  readonly key: string;
  readonly value: number;
  /** `__name__` included. Asked for only when the series is new. */
  labels(): Labels;
}

interface YieldedSample {
  readonly labels: Labels;
  readonly value: number;
  readonly atMs: number;
}

interface Exposed {
  readonly labels: Labels;
  /** Of the newest sample; undefined before the first evaluation of this process. */
  readonly atMs?: number;
}

/** Series by their identity within the rule. */
export type ExposedSeries = ReadonlyMap<string, Exposed>;

/** Prometheus' lookback: what was yielded longer ago is gone, with or without a stale marker. */
export const LOOKBACK_MS = 300_000;

export class RuleSeries {
  #current: ReadonlyMap<string, YieldedSample> = new Map();
  #atMs = 0;
  #exposed: ExposedSeries;

  constructor(exposed: ExposedSeries = new Map()) {
    this.#exposed = exposed;
  }

  /** What has been written, or may have been by a request that broke off, and has not been ended. */
  exposed(): ExposedSeries {
    return this.#exposed;
  }

  /** Samples of the newest evaluation and when they were taken. */
  current(): { readonly atMs: number; readonly samples: Iterable<YieldedSample> } {
    return { atMs: this.#atMs, samples: this.#current.values() };
  }

  /** Takes up an evaluation. Returns what to write: its samples, and an end for every series that is gone. */
  renew(yielded: Iterable<YieldedSeries>, atMs: number): readonly WrittenSeries[] {
    const current = new Map<string, YieldedSample>();
    const written: WrittenSeries[] = [];
    for (const series of yielded) {
      const { key, value } = series;
      // The same label object each time: its bytes are kept from the write before.
      const labels = this.#exposed.get(key)?.labels ?? series.labels();
      current.set(key, { labels, value, atMs });
      written.push({ labels, samples: [{ atMs, value }] });
    }
    const gone = [...this.#exposed].filter(([key]) => !current.has(key)).map(([, { labels }]) => labels);
    this.#current = current;
    this.#atMs = atMs;
    return [...written, ...endOf(gone, atMs)];
  }

  /** What `renew` returned has been written, or has been refused for good: what is gone needs no second end. */
  settle(): void {
    this.#exposed = this.#current;
  }

  /** What `renew` returned may have been written, or not: all of it is to be ended while Prometheus may show it. */
  doubt(): void {
    const exposed = new Map<string, Exposed>();
    for (const [key, { labels, atMs = this.#atMs }] of this.#exposed) {
      if (this.#atMs - atMs < LOOKBACK_MS) exposed.set(key, { labels, atMs });
    }
    for (const [key, sample] of this.#current) exposed.set(key, sample);
    this.#exposed = exposed;
  }
}

/** Stale markers: without them a series stays visible for Prometheus' lookback of five minutes. */
export function endOf(series: Iterable<Labels>, atMs: number): WrittenSeries[] {
  return Array.from(series, (labels) => ({ labels, samples: [{ atMs, value: 'stale' as const }] }));
}
