/**
 * The counters file of dcgm-exporter: one row is a DCGM field, a Prometheus type and a help text. A row that only DCGM itself could
 * supply is skipped with a warning, as dcgm-exporter does with profiling fields the GPU lacks; a field nobody knows refuses the file.
 */

import { renderDiagnostics } from '../../diagnostic.ts';
import { type CounterRow, type MetricLookup, readRow } from './counter-row.ts';
import { type CsvField, readRecords, splitLines } from './csv-records.ts';
import type { CounterSelection } from './selection.ts';

export type CountersResult =
  | { readonly kind: 'selection'; readonly selection: CounterSelection; readonly warnings: readonly string[] }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** The largest file that is read, in characters; the one dcgm-exporter ships has 7,000. */
export const maxCountersLength = 2 ** 20;

const maxWarnings = 100;

/**
 * What a counters file selects, or all that is wrong with it, each with line, caret and fix. `text` is the file as UTF-8, with
 * U+FFFD for what is not; `file` is its name in messages; `lookup` finds the catalog's row of a DCGM name.
 *
 * Of several rows for one field the first counts, also when they spell it differently: that is what dcgm-exporter publishes.
 */
export function parseCounters(text: string, file: string, lookup: MetricLookup): CountersResult {
  const unreadable = unreadableFile(text);
  if (unreadable !== undefined) return { kind: 'invalid', problems: [`${file}: ${unreadable}`] };
  // Some editors put a byte order mark first; dcgm-exporter takes it for part of the first field.
  const lines = splitLines(text.startsWith('\uFEFF') ? text.slice(1) : text);
  const { records, mistakes } = readRecords(lines);
  const rows = records.map((record) => readRow(record, lookup));
  const problems = [...mistakes, ...rows.flatMap((row) => (row.kind === 'problem' ? [row.problem] : []))];
  if (problems.length > 0) return { kind: 'invalid', problems: renderDiagnostics(file, lines, problems) };
  const { chosen, repeats } = firstOfEachField(rows);
  const warnings = [...rows.flatMap(skipWarning), ...repeats, ...records.flatMap(encodingWarning)];
  return { kind: 'selection', selection: selectionOf(chosen), warnings: renderWarnings(file, chosen.length, warnings) };
}

function unreadableFile(text: string): string | undefined {
  if (text.length > maxCountersLength)
    return `this has ${text.length} characters, more than the ${maxCountersLength} that are read: is it a counters file?`;
  // The two bytes that begin a file of UTF-16 are not UTF-8, and half of the others are 0.
  if (text.startsWith('\uFFFD\uFFFD') && text.includes('\0')) return 'this looks like UTF-16: save it as UTF-8.';
  return undefined;
}

type ChosenRow = Extract<CounterRow, { readonly origin: unknown }>;

interface Warning {
  readonly line: number;
  readonly text: string;
}

function firstOfEachField(rows: readonly CounterRow[]): { chosen: readonly ChosenRow[]; repeats: readonly Warning[] } {
  const firsts = new Map<string, ChosenRow>();
  const repeats: Warning[] = [];
  for (const row of rows) {
    if (!('origin' in row)) continue;
    const { line, name, field } = row.origin;
    const first = firsts.get(field)?.origin;
    if (first === undefined) firsts.set(field, row);
    else if (first.name === name)
      repeats.push({ line, text: `${name} is in line ${first.line} already, which counts.` });
    else
      repeats.push({
        line,
        text: `${name} is the field of line ${first.line}, ${first.name}: it is published as that.`,
      });
  }
  return { chosen: [...firsts.values()], repeats };
}

function selectionOf(chosen: readonly ChosenRow[]): CounterSelection {
  return {
    counters: chosen.flatMap((row) => (row.kind === 'counter' ? [row.counter] : [])),
    expressions: chosen.flatMap((row) => (row.kind === 'expression' ? [row.expression] : [])),
    labels: chosen.flatMap((row) => (row.kind === 'label' ? [row.label] : [])),
  };
}

function skipWarning(row: CounterRow): readonly Warning[] {
  return row.kind === 'skipped' ? [{ line: row.line, text: row.why }] : [];
}

function encodingWarning(record: readonly CsvField[]): readonly Warning[] {
  const broken = record.find(({ text }) => text.includes('\uFFFD'));
  if (broken === undefined) return [];
  return [
    { line: broken.line, text: 'what is not UTF-8 in this line is published as \uFFFD: save the file as UTF-8.' },
  ];
}

function renderWarnings(file: string, chosen: number, warnings: readonly Warning[]): readonly string[] {
  const sorted = warnings.toSorted((left, right) => left.line - right.line);
  const shown = sorted.slice(0, maxWarnings).map(({ line, text }) => `${file}:${line}: ${text}`);
  const more = sorted.length > maxWarnings ? [`${file}: and ${sorted.length - maxWarnings} more like these.`] : [];
  return [...shown, ...more, ...(chosen === 0 ? [`${file}: no counter is selected, so none is published.`] : [])];
}
