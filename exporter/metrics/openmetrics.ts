/**
 * OpenMetrics 1.0.0, https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md. Every sample has the
 * name, labels and value that it has in the text format, so that a server may change formats without starting new series:
 * what OpenMetrics wants to be named otherwise, such as a counter that does not end in `_total`, has the type `unknown`.
 */

import { createLabelText, type Family, publishable, renderSamples } from './exposition.ts';

export const openMetricsContentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** The line every page ends with, once. */
export const openMetricsEnd = '# EOF\n';

/** Families sorted by name, without the end of the page: others may follow, of other names. */
export function renderOpenMetrics(families: readonly Family[]): string {
  const shown = publishable(families);
  const taken = new Set(shown.map(({ name }) => name));
  const labelText = createLabelText();
  return shown.map((family) => renderHead(family, taken) + renderSamples(family, labelText)).join('');
}

function renderHead(family: Family, taken: Set<string>): string {
  const { name, type } = headOf(family, taken);
  return `# TYPE ${name} ${type}\n${unitLine(family, name, type)}# HELP ${name} ${escapeHelp(family.help)}\n`;
}

interface Head {
  /** Without the suffix that the type gives to every sample. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram' | 'summary' | 'info' | 'unknown';
}

function headOf(family: Family, taken: Set<string>): Head {
  const { name, type } = family;
  if (type === 'counter') return shortened({ name, type }, '_total', taken) ?? { name, type: 'unknown' };
  if (type === 'gauge' && isInfo(family)) return shortened({ name, type: 'info' }, '_info', taken) ?? { name, type };
  return { name, type: type === 'untyped' ? 'unknown' : type };
}

// Undefined where the short name is another family's: each may appear once only.
function shortened({ name, type }: Head, suffix: string, taken: Set<string>): Head | undefined {
  const short = name.slice(0, -suffix.length);
  if (!name.endsWith(suffix) || short === '' || taken.has(short)) return undefined;
  taken.add(short);
  return { name: short, type };
}

function isInfo({ series }: Family): boolean {
  return series.every(({ value }) => value === 1);
}

function unitLine({ unit }: Family, name: string, type: Head['type']): string {
  return unit === undefined || type === 'info' || !name.endsWith(`_${unit}`) ? '' : `# UNIT ${name} ${unit}\n`;
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
