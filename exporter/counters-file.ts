/** The counters file while the exporter runs: read at the start and at each reload, and the last good one stays. */

import { defaultSelection, metricByDcgmName } from './metrics/catalog.ts';
import type { CounterSelection } from './metrics/dcgm/selection.ts';
import { readRegularFile } from './regular-file.ts';

export type CountersOutcome =
  | { readonly kind: 'loaded'; readonly warnings: readonly string[] }
  /** What was in force before stays. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

export interface Counters {
  /** The default counters until a file was loaded. */
  selection(): CounterSelection;
  load(): Promise<CountersOutcome>;
}

// Above the limit of the reader, which counts characters and says where the file is too long.
const maxBytes = 4 * 2 ** 20;

/** Without a path there is nothing to load, and the default counters are published. */
export function createCounters(path: string | undefined): Counters {
  let selection = defaultSelection;
  let hasLoaded = false;
  return {
    selection: () => selection,
    load: async () => {
      if (path === undefined) return { kind: 'loaded', warnings: [] };
      const text = await readRegularFile(path, maxBytes).catch((error: Error) => error);
      if (text instanceof Error) {
        return { kind: 'refused', problems: [`${path} cannot be read: ${text.message}: name another counters file.`] };
      }
      // With the names of a thousand DCGM fields: loaded only where there is a file to read.
      const { parseCounters } = await import('./metrics/dcgm/counters-csv.ts');
      const result = parseCounters(text, path, metricByDcgmName);
      if (result.kind === 'invalid') return { kind: 'refused', problems: result.problems };
      // An editor or a volume that is being written passes through this state; nobody asks for it.
      if (hasLoaded && isEmpty(result.selection)) return { kind: 'refused', problems: result.warnings };
      selection = result.selection;
      hasLoaded = true;
      return { kind: 'loaded', warnings: result.warnings };
    },
  };
}

function isEmpty({ counters, expressions }: CounterSelection): boolean {
  return counters.length === 0 && expressions.length === 0;
}
