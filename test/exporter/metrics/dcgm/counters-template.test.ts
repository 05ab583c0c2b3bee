import { describe, expect, it } from 'vitest';
import { labelFields } from '../../../../exporter/metrics/catalog/label-fields.ts';
import { defaultSelection, metricByDcgmName, metrics } from '../../../../exporter/metrics/catalog.ts';
import { parseCounters } from '../../../../exporter/metrics/dcgm/counters-csv.ts';
import { countersTemplate } from '../../../../exporter/metrics/dcgm/counters-template.ts';

const file = new URL('../../../../exporter/counters/default-counters.csv', import.meta.url).pathname;

function parse(text: string) {
  const result = parseCounters(text, 'default-counters.csv', metricByDcgmName);
  if (result.kind === 'invalid') throw new Error(result.problems.join('\n'));
  return result;
}

describe('exporter/counters/default-counters.csv', () => {
  it('is what the catalog makes of it; after a change of the catalog, run vitest with -u', async () => {
    await expect(countersTemplate()).toMatchFileSnapshot(file);
  });

  it('selects what is published without a file', () => {
    const { selection, warnings } = parse(countersTemplate());
    expect(selection.counters).toEqual(defaultSelection.counters);
    expect(selection.expressions).toEqual([]);
    expect(selection.labels.map(({ name }) => name)).toEqual(defaultSelection.labels.map(({ name }) => name));
    expect(warnings).toEqual([]);
  });

  it('selects everything there is with every row switched on', () => {
    const { selection, warnings } = parse(countersTemplate().replaceAll(/^# (?=DCGM_\w+, )/gm, ''));
    expect(selection.counters.map(({ name }) => name)).toEqual(metrics.flatMap(({ dcgm }) => dcgm?.field ?? []));
    expect(selection.expressions.map(({ field, type }) => [field, type])).toEqual([
      ['DCGM_EXP_XID_ERRORS_COUNT', 'gauge'],
      ['DCGM_EXP_XID_ERRORS_TOTAL', 'counter'],
      ['DCGM_EXP_CLOCK_EVENTS_COUNT', 'gauge'],
      ['DCGM_EXP_CLOCK_EVENTS_TOTAL', 'counter'],
    ]);
    expect(selection.labels.map(({ name }) => name)).toEqual(labelFields.map(({ field }) => field));
    expect(warnings).toEqual([]);
  });
});
