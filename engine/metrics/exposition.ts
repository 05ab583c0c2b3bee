/** Prometheus text format 0.0.4 for series that are rendered afresh per scrape, so none outlives its GPU. */

export interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
}

type Labels = Readonly<Record<string, string>>;

/** One sample line's labels (in order, or as `renderPairs` has written them) and value. */
export type Line = readonly [labels: Labels | string, value: number];

/** Renders a family; an empty one is left out, HELP and TYPE included. */
export function renderFamily(family: Family, lines: readonly Line[]): string {
  return lines.length === 0 ? '' : renderHead(family) + renderLines(family, lines);
}

/** HELP and TYPE. */
export function renderHead({ name, type, help }: Family): string {
  return `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n# TYPE ${name} ${type}\n`;
}

/** Sample lines without HELP and TYPE, for a family that is rendered in pieces. */
export function renderLines({ name }: Family, lines: readonly Line[]): string {
  return lines.map(([labels, value]) => `${name}${renderLabels(labels)} ${renderValue(value)}\n`).join('');
}

function renderLabels(labels: Labels | string): string {
  const pairs = typeof labels === 'string' ? labels : renderPairs(labels);
  return pairs === '' ? '' : `{${pairs}}`;
}

/** `name="value",…` without braces: labels that many lines share are escaped once. */
export function renderPairs(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(value)}"`)
    .join(',');
}

function escapeValue(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function renderValue(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
