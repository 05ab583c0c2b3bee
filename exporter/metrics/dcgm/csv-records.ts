/**
 * CSV as Go's encoding/csv reads it with `#` for comments, which is what dcgm-exporter uses. csv-parse reads nearly the same, but
 * takes a # after a closing quote for a comment, which Go refuses, and tells neither the column nor more than the first mistake.
 *
 * Lines end in \n or \r\n, nowhere else; a \r before the end of the file is dropped. Empty lines and lines whose first character
 * is # are skipped, a line of blanks is not. A quote opens a field only as its first character; inside, "" is a quote and lines
 * may end. A quote in a field that is not quoted, or text after a closing quote, is a mistake.
 */

import type { Diagnostic } from '../../diagnostic.ts';

export interface CsvField {
  readonly text: string;
  readonly line: number;
  readonly column: number;
  /** On the same line; of a field of several lines, where its first line ends. */
  readonly endColumn: number;
}

export interface CsvRecords {
  readonly records: readonly (readonly CsvField[])[];
  /** Records with a mistake are left out; reading goes on at the line after it. */
  readonly mistakes: readonly Diagnostic[];
}

/** The records of a file, and what could not be read. `lines` come from `splitLines`. */
export function readRecords(lines: readonly string[]): CsvRecords {
  const records: (readonly CsvField[])[] = [];
  const mistakes: Diagnostic[] = [];
  let next = 0;
  while (next < lines.length) {
    const outcome = readRecord(lines, next);
    next = outcome.next;
    if (outcome.kind === 'record') records.push(outcome.fields);
    if (outcome.kind === 'mistake') mistakes.push(outcome.mistake);
  }
  return { records, mistakes };
}

/** The lines of a file without their ends. */
export function splitLines(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** `next` is the line to go on at, counted from 0 like all indices in here. */
type RecordOutcome =
  | { readonly kind: 'record'; readonly fields: readonly CsvField[]; readonly next: number }
  | { readonly kind: 'nothing'; readonly next: number }
  | { readonly kind: 'mistake'; readonly mistake: Diagnostic; readonly next: number };

type FieldOutcome =
  | { readonly kind: 'field'; readonly field: CsvField; readonly end: Place }
  | { readonly kind: 'mistake'; readonly mistake: Diagnostic; readonly next: number };

interface Place {
  readonly line: number;
  readonly column: number;
}

function readRecord(lines: readonly string[], first: number): RecordOutcome {
  const opening = lines[first] ?? '';
  if (opening === '' || opening.startsWith('#')) return { kind: 'nothing', next: first + 1 };
  const fields: CsvField[] = [];
  let place: Place = { line: first, column: 0 };
  for (;;) {
    const outcome = readField(lines, place);
    if (outcome.kind === 'mistake') return outcome;
    fields.push(outcome.field);
    const { line, column } = outcome.end;
    if (lines[line]?.[column] !== ',') return { kind: 'record', fields, next: line + 1 };
    place = { line, column: column + 1 };
  }
}

function readField(lines: readonly string[], place: Place): FieldOutcome {
  return lines[place.line]?.[place.column] === '"' ? readQuoted(lines, place) : readPlain(lines, place);
}

function readPlain(lines: readonly string[], start: Place): FieldOutcome {
  const text = lines[start.line] ?? '';
  const comma = text.indexOf(',', start.column);
  const end = { line: start.line, column: comma < 0 ? text.length : comma };
  const value = text.slice(start.column, end.column);
  const quote = value.indexOf('"');
  if (quote < 0) return { kind: 'field', field: fieldOf(value, start, end.column), end };
  return {
    kind: 'mistake',
    mistake: {
      ...spot({ line: start.line, column: start.column + quote }),
      message: 'a double quote stands inside a field that does not begin with one.',
      fix: 'Begin and end the whole field with a double quote, with no blank outside, and write each quote inside twice: "".',
    },
    next: start.line + 1,
  };
}

function readQuoted(lines: readonly string[], start: Place): FieldOutcome {
  const parts: string[] = [];
  let { line, column } = { line: start.line, column: start.column + 1 };
  for (;;) {
    const text = lines[line];
    if (text === undefined) return neverClosed(start);
    const quote = text.indexOf('"', column);
    if (quote < 0) {
      parts.push(text.slice(column), '\n');
      [line, column] = [line + 1, 0];
      continue;
    }
    parts.push(text.slice(column, quote));
    column = quote + 1;
    if (text[column] === '"') {
      parts.push('"');
      column += 1;
    } else if (text[column] === ',' || column === text.length) {
      const endOfFirst = line === start.line ? column : (lines[start.line] ?? '').length;
      return { kind: 'field', field: fieldOf(parts.join(''), start, endOfFirst), end: { line, column } };
    } else return textAfterQuote({ line, column });
  }
}

// Reading goes on at the next line: the text that was meant to be inside is most often on the same one.
function neverClosed(start: Place): FieldOutcome {
  const message = 'this double quote is never closed.';
  const fix = 'Close it at the end of the field, or leave it out.';
  return { kind: 'mistake', mistake: { ...spot(start), message, fix }, next: start.line + 1 };
}

function textAfterQuote(place: Place): FieldOutcome {
  const message = 'after the closing double quote of a field comes neither a comma nor the end of the line.';
  const fix = 'Put the closing quote last, with no blank after it, and write a quote inside the field twice: "".';
  return { kind: 'mistake', mistake: { ...spot(place), message, fix }, next: place.line + 1 };
}

function fieldOf(text: string, { line, column }: Place, end: number): CsvField {
  return { text, line: line + 1, column: column + 1, endColumn: end + 1 };
}

function spot({ line, column }: Place): Pick<Diagnostic, 'line' | 'column' | 'endColumn'> {
  return { line: line + 1, column: column + 1, endColumn: column + 2 };
}
