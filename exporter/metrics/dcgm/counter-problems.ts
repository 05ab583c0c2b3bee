/** What can be wrong with a row of a counters file, in words. */

import { anyOf } from '../../any-of.ts';
import type { Diagnostic } from '../../diagnostic.ts';
import { nearestNames } from '../../nearest-name.ts';
import type { CsvField } from './csv-records.ts';

type Place = Omit<Diagnostic, 'message' | 'fix'>;

/** Why a record cannot be a row, whatever its fields are called; undefined when it can. */
export function recordProblem(record: readonly CsvField[]): Diagnostic | undefined {
  if (record.every(({ text }) => text.trim() === ''))
    return {
      ...wholeOf(record),
      message: 'this line has no text, but is not empty.',
      fix: 'Leave the line empty, or begin it with #.',
    };
  if (record[0]?.text.trimStart().startsWith('#') === true)
    return {
      ...wholeOf(record),
      message: 'only a # that is first in its line begins a comment.',
      fix: 'Remove what is before it.',
    };
  const nul = record.find(({ text }) => text.includes('\0'));
  if (nul === undefined) return undefined;
  return {
    ...placeOf(nul),
    message: 'this field has a NUL character in it.',
    fix: 'Remove it, or write the line anew.',
  };
}

/** For a record of any number of fields but three. */
export function wrongCount(record: readonly CsvField[]): Diagnostic {
  const message = `a row has three fields, NAME, TYPE and HELP, and this one has ${record.length}.`;
  const fourth = record[3];
  return fourth === undefined
    ? { ...wholeOf(record), message, fix: 'Write both commas, also where a field is left empty.' }
    : { ...placeOf(fourth), message, fix: 'Put a help that has a comma in it between double quotes.' };
}

/** `name` as it was looked up, without the spaces around it. */
export function unknownField(field: CsvField, name: string, known: readonly string[]): Diagnostic {
  const message = `${quoted(name)} is not a field of DCGM.`;
  if (name !== name.trim() && known.includes(name.trim()))
    return { ...placeOf(field), message, fix: 'Remove the tab beside it: only spaces around a field are ignored.' };
  return { ...placeOf(field), message, fix: () => nearestFix(name, known) };
}

function nearestFix(name: string, known: readonly string[]): string {
  const near = nearestNames(name, known);
  return near.length === 0 ? 'Begin the line with # to leave it out.' : `Write ${anyOf(near)}.`;
}

/** `type` as it was looked up; `types` are those that are right here. */
export function wrongType(field: CsvField, type: string, types: readonly string[]): Diagnostic {
  const near = nearestNames(type, types, 1);
  const fix = `Write ${anyOf(near.length > 0 ? near : types)}.`;
  return { ...placeOf(field), message: typeMessage(type), fix };
}

function typeMessage(type: string): string {
  if (type === 'label') return 'a count of events cannot be a label.';
  if (type === 'histogram' || type === 'summary') return `DCGM gives single values, and a ${type} is made of many.`;
  return `${quoted(type)} is not a type.`;
}

/** A field of text where a gauge or counter is asked for. */
export function textProblem(field: CsvField, name: string, type: string): Diagnostic {
  return { ...placeOf(field), message: `${name} is text, and a ${type} holds numbers.`, fix: 'Write label.' };
}

/** The text without the spaces around it. Tabs stay, as in dcgm-exporter. */
export function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === ' ') start += 1;
  while (end > start && text[end - 1] === ' ') end -= 1;
  return text.slice(start, end);
}

// As far as its first line goes.
function wholeOf(record: readonly CsvField[]): Place {
  const { line = 1, column = 1 } = record[0] ?? {};
  const endColumn = Math.max(
    ...record.filter((field) => field.line === line).map((field) => field.endColumn),
    column + 1,
  );
  return { line, column, endColumn };
}

// Without the blanks around an unquoted field; of a quoted one, which is longer in the file than its text, the whole.
function placeOf({ text, line, column, endColumn }: CsvField): Place {
  const trimmed = text.trim();
  if (endColumn - column !== text.length || trimmed === '') return { line, column, endColumn };
  const start = column + text.indexOf(trimmed);
  return { line, column: start, endColumn: start + trimmed.length };
}

// A stray quote can make a field of thousands of characters.
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
