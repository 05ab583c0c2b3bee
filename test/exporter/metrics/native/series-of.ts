import type { Family } from '../../../../exporter/metrics/exposition.ts';

/** The series of one family, as pairs of their labels and value; undefined when there is no such family. */
export function seriesOf(
  families: readonly Family[],
  name: string,
): readonly (readonly [object, number])[] | undefined {
  return families.find((family) => family.name === name)?.series.map(({ labels, value }) => [labels, value]);
}
