/** The dcgm profile: a snapshot under the names, labels and values of dcgm-exporter. */

import type { Snapshot } from '../../snapshot.ts';
import type { Family, Series } from '../exposition.ts';
import { type Metric, plausible } from '../metric.ts';
import { type DcgmOptions, type DcgmRow, dcgmRows, labelsWith } from './labels.ts';
import type { CounterSelection, SelectedCounter } from './selection.ts';

/** The families of `selection.counters` for every row of the snapshot; those of its expressions are not among them. */
export function dcgmFamilies(snapshot: Snapshot, selection: CounterSelection, options: DcgmOptions): readonly Family[] {
  return counterFamilies(selection.counters, dcgmRows(snapshot, selection.labels, options));
}

/**
 * One family per name; of two counters with the same name the first counts. What a card cannot say is left out, and so is what
 * no working sensor can have said.
 */
export function counterFamilies(counters: readonly SelectedCounter[], rows: readonly DcgmRow[]): readonly Family[] {
  return firstOfEachName(counters).map(({ name, type, help, metric }) => ({
    name,
    type,
    help,
    series: rows.flatMap((row) => seriesOf(metric, row)),
  }));
}

function firstOfEachName(counters: readonly SelectedCounter[]): readonly SelectedCounter[] {
  const byName = new Map<string, SelectedCounter>();
  for (const counter of counters) if (!byName.has(counter.name)) byName.set(counter.name, counter);
  return [...byName.values()];
}

function seriesOf(metric: Metric, row: DcgmRow): readonly Series[] {
  const reading = plausible(readingOf(metric, row), metric);
  if (reading === undefined) return [];
  const value = metric.dcgm?.convert?.(reading) ?? reading;
  const own = metric.dcgm?.labels?.(value);
  return [{ labels: own === undefined ? row.labels : labelsWith(row, { attributes: own }), value }];
}

function readingOf({ get, getMig }: Metric, { gpu, instance }: DcgmRow): number | undefined {
  return instance === undefined || getMig === undefined ? get(gpu) : getMig(instance);
}
