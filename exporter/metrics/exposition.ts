/** Metric families, and Prometheus text format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/. */

export type Labels = Readonly<Record<string, string>>;

/** One series at one instant. A value that is not finite is left out: it would say nothing. */
export interface Series {
  /** The family's name and a suffix, for parts of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
  /** Never changed; series that share the object also share its text. */
  readonly labels: Labels;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram' | 'summary' | 'untyped';
  /** Base unit, where the name ends in it; OpenMetrics says it in a line of its own. */
  readonly unit?: string;
  readonly help: string;
  /** Labels are written in their own order, unless it says that they are to be sorted by name. */
  readonly labelOrder?: 'own' | 'sorted';
  readonly series: readonly Series[];
}

export const textContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Families sorted by name; a family without series is left out, for it would say nothing. Ends in a line feed unless empty. */
export function renderText(families: readonly Family[]): string {
  const labelText = createLabelText();
  return publishable(families)
    .map((family) => renderHead(family) + renderSamples(family, labelText))
    .join('');
}

function renderHead({ name, type, help }: Family): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
}

/** What a page shows, in its order: families sorted by name, those without a finite value left out. */
export function publishable(families: readonly Family[]): readonly Family[] {
  return families
    .filter(({ series }) => series.some(({ value }) => Number.isFinite(value)))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

type LabelText = (labels: Labels, order: LabelOrder) => string;

type LabelOrder = NonNullable<Family['labelOrder']>;

/** A line per series, the same in either format. */
export function renderSamples({ name, series, labelOrder = 'own' }: Family, labelText: LabelText): string {
  const lines: string[] = [];
  for (const { suffix = '', labels, value } of series) {
    if (Number.isFinite(value)) lines.push(`${name + suffix + labelText(labels, labelOrder)} ${renderValue(value)}\n`);
  }
  return lines.join('');
}

/**
 * The text of labels, for one page. Tens of families share the labels object of a GPU: for 1,000 GPUs its text is most of the work.
 * Kept for the page only: the next reading has objects of its own, and weak references to them would cost more than they save.
 */
export function createLabelText(): LabelText {
  const known = { own: new Map<Labels, string>(), sorted: new Map<Labels, string>() };
  return (labels, order) => {
    const text = known[order].get(labels);
    if (text !== undefined) return text;
    const fresh = renderLabels(labels, order);
    known[order].set(labels, fresh);
    return fresh;
  };
}

function renderLabels(labels: Labels, order: LabelOrder): string {
  const names = Object.keys(labels);
  if (names.length === 0) return '';
  if (order === 'sorted') names.sort();
  return `{${names.map((name) => `${name}="${escapeLabelValue(labels[name] ?? '')}"`).join(',')}}`;
}

// JavaScript already prints the shortest digits that read back as the same float; only -0 would surprise.
function renderValue(value: number): string {
  return String(value === 0 ? 0 : value);
}

function escapeLabelValue(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
