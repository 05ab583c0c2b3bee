/** A receiver of remote writes in memory, which encodes what it gets as the real one does, and can be made to refuse it. */

import type { SeriesWriter, WrittenSeries } from '../../../engine/prometheus/series-writer.ts';
import { encodeWriteRequest } from '../../../engine/prometheus/write-request.ts';

export class FakeWriter implements SeriesWriter {
  failure: Error | undefined;
  readonly writes: (readonly WrittenSeries[])[] = [];

  async write(series: readonly WrittenSeries[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    encodeWriteRequest(series);
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
