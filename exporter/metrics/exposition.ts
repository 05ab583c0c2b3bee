/** Prometheus text format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/. */

export type Labels = Readonly<Record<string, string>>;

/** One series at one instant; `value` is finite. Labels appear in their own order. */
export interface Series {
  /** The family's name and a suffix, for parts of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram' | 'summary' | 'untyped';
  /** Base unit, where the name ends in it; OpenMetrics says it in a line of its own. */
  readonly unit?: string;
  readonly help: string;
  readonly series: readonly Series[];
}

export const textContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Families sorted by name; a family without series is left out, for it would say nothing. Ends in a line feed unless empty. */
export function renderFamilies(families: readonly Family[]): string {
  return families
    .filter((family) => family.series.length > 0)
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map(renderFamily)
    .join('');
}

function renderFamily({ name, type, help, series }: Family): string {
  const lines = series.map(({ labels, value }) => `${name}${renderLabels(labels)} ${renderValue(value)}\n`);
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabelValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

// JavaScript already prints the shortest digits that read back as the same float; only -0 would surprise.
function renderValue(value: number): string {
  return String(value === 0 ? 0 : value);
}

function escapeLabelValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
