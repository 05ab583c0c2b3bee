/** The counters file while the exporter runs: read at the start and at each reload, and the last good one stays. */

import { readFile } from 'node:fs/promises';
import { defaultSelection, metricByDcgmName } from './metrics/catalog.ts';
import type { CounterSelection } from './metrics/dcgm/selection.ts';

export type CountersOutcome =
  | { readonly kind: 'loaded'; readonly warnings: readonly string[] }
  /** What was in force before stays. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

export interface Counters {
  /** The default counters until a file was loaded. */
  selection(): CounterSelection;
  load(): Promise<CountersOutcome>;
}

/** Without a path there is nothing to load, and the default counters are published. */
export function createCounters(path: string | undefined): Counters {
  let selection = defaultSelection;
  return {
    selection: () => selection,
    load: async () => {
      if (path === undefined) return { kind: 'loaded', warnings: [] };
      const text = await readFile(path, 'utf8').catch((error: Error) => error);
      if (text instanceof Error) {
        return { kind: 'refused', problems: [`${path} cannot be read: ${text.message}: name another counters file.`] };
      }
      // With the names of a thousand DCGM fields: loaded only where there is a file to read.
      const { parseCounters } = await import('./metrics/dcgm/counters-csv.ts');
      const result = parseCounters(text, path, metricByDcgmName);
      if (result.kind === 'invalid') return { kind: 'refused', problems: result.problems };
      selection = result.selection;
      return { kind: 'loaded', warnings: result.warnings };
    },
  };
}
