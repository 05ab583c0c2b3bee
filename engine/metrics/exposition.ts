/** Prometheus text format 0.0.4 for series that are rendered afresh per scrape, so none outlives its GPU. */

export interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
}

/** One sample line's labels (in order) and value. */
export type Line = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Renders a family; an empty one is left out, HELP and TYPE included. */
export function renderFamily({ name, type, help }: Family, lines: readonly Line[]): string {
  if (lines.length === 0) return '';
  const body = lines.map(([labels, value]) => `${name}${renderLabels(labels)} ${renderValue(value)}\n`).join('');
  return `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n# TYPE ${name} ${type}\n${body}`;
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeValue(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function renderValue(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
