/** A receiver of remote writes in memory, which can be made to refuse, as the real one does. */
import type { SeriesWriter, WriteError, WrittenSeries } from '../../../engine/prometheus/series-writer.ts';

export class FakeWriter implements SeriesWriter {
  failure: WriteError | undefined;
  readonly writes: (readonly WrittenSeries[])[] = [];

  async write(series: readonly WrittenSeries[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.writes.push(series);
  }

  /** Every sample in the order written: `name{label="value"} = value @ seconds after start`. */
  lines(startMs: number): readonly string[] {
    return this.writes.flat().flatMap(({ labels: { __name__: name, ...labels }, samples }) =>
      samples.map(({ atMs, value }) => {
        const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
        const text = pairs.map(([label, of]) => `${label}="${of}"`).join(',');
        return `${name}{${text}} = ${value} @ ${(atMs - startMs) / 1000}`;
      }),
    );
  }
}
