/** Writes the input series of a test into its Prometheus, never further than the test's time has come. */
import type { SeriesWriter, WrittenSample, WrittenSeries } from '../prometheus/series-writer.ts';
import type { InputSeries, UnitTest } from './unit-test.ts';

export class Feeder {
  readonly #test: UnitTest;
  readonly #writer: SeriesWriter;
  /** Samples of each series that are written. */
  #written = 0;

  constructor(test: UnitTest, writer: SeriesWriter) {
    this.#test = test;
    this.#writer = writer;
  }

  /** Writes what is due until `atMs` after the test's start, that instant included. Rejects with WriteError. */
  async feed(atMs: number, signal: AbortSignal): Promise<void> {
    const { intervalMs, series } = this.#test;
    const end = Math.floor(atMs / intervalMs) + 1;
    const due = series.map((one) => this.#dueOf(one, end)).filter(({ samples }) => samples.length > 0);
    this.#written = Math.max(this.#written, end);
    if (due.length > 0) await this.#writer.write(due, signal);
  }

  #dueOf({ labels, samples }: InputSeries, end: number): WrittenSeries {
    const { startMs, intervalMs } = this.#test;
    const due = samples.slice(this.#written, end).flatMap((value, index): WrittenSample[] => {
      const atMs = startMs + (this.#written + index) * intervalMs;
      return value === undefined ? [] : [{ atMs, value }];
    });
    return { labels, samples: due };
  }
}
