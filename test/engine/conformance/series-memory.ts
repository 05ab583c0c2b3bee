/** A receiver of remote writes that can be read back as Prometheus would show it: lookback, stale markers and all. */
import type { Labels, Sample } from '../../../engine/prometheus/query.ts';
import type { SeriesWriter, WrittenSample, WrittenSeries } from '../../../engine/prometheus/series-writer.ts';

const LOOKBACK_MS = 300_000;

interface Held {
  readonly labels: Labels;
  readonly samples: WrittenSample[];
}

export class SeriesMemory implements SeriesWriter {
  readonly #series = new Map<string, Held>();

  async write(series: readonly WrittenSeries[]): Promise<void> {
    for (const { labels, samples } of series) {
      const key = JSON.stringify(Object.entries(labels).sort());
      const held = this.#series.get(key) ?? { labels, samples: [] };
      this.#series.set(key, held);
      held.samples.push(...samples);
    }
  }

  /** What the instant query for a name and labels yields, sorted by labels. */
  select(name: string, wanted: Labels, atMs: number): readonly Sample[] {
    return this.all(name)
      .filter(({ labels }) => Object.entries(wanted).every(([label, value]) => labels[label] === value))
      .flatMap(({ labels, samples }) => {
        const sample = samples.findLast((candidate) => candidate.atMs <= atMs);
        const isVisible = sample !== undefined && sample.value !== 'stale' && atMs - sample.atMs < LOOKBACK_MS;
        return isVisible ? [{ labels, value: Number(sample.value) }] : [];
      })
      .sort((a, b) => (JSON.stringify(sorted(a.labels)) < JSON.stringify(sorted(b.labels)) ? -1 : 1));
  }

  /** Every series of a name with all its samples, in the order written. */
  all(name: string): readonly Held[] {
    return [...this.#series.values()].filter(({ labels }) => labels.__name__ === name);
  }
}

function sorted(labels: Labels): readonly (readonly [string, string])[] {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}
