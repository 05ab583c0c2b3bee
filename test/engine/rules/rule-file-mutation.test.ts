/** Good rule files with random damage: the loader never throws, and judges as Prometheus does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../../engine/policy/diagnostics.ts';
import { loadRules } from '../../../engine/rules/rule-file.ts';
import { requirePromtool } from './promtool.ts';

const GOOD = ['alerts.yml', 'records.yml'].map((file) =>
  readFileSync(join(import.meta.dirname, 'mutated', file), 'utf8'),
);

const PIECES = [
  ':',
  ': ',
  ' ',
  '\n',
  '\t',
  '-',
  '- ',
  '[',
  ']',
  '{',
  '}',
  ',',
  '#',
  ' #',
  '&a ',
  '*a',
  '!x ',
  '!!str ',
  '|',
  '>',
  "'",
  '"',
  '%',
  '@',
  '`',
  '? ',
  '---\n',
  '...\n',
  '\\',
  '<<',
  '~',
  '\r\n',
  'é',
  '\u0001',
  '1',
  'x',
  '=',
  '{{',
  '}}',
  '$',
  '(',
  ')',
  '5m',
  'null',
  'true',
  '0',
  'expr: up',
  'for: 5',
  'labels:',
];

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const change = fc.record({
  kind: fc.constantFrom('cut', 'insert', 'insert', 'drop line', 'indent', 'copy line', 'value'),
  at: place,
  from: place,
  piece: fc.constantFrom(...PIECES),
  width: fc.integer({ min: 0, max: 3 }),
});
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

const damaged = fc
  .tuple(fc.constantFrom(...GOOD), fc.array(change, { minLength: 1, maxLength: 3 }))
  .map(([text, changes]) => changes.reduce(apply, text));

function apply(text: string, { kind, at, from, piece, width }: Change): string {
  const offset = Math.floor(at * text.length);
  if (kind === 'cut') return text.slice(0, offset) + text.slice(offset + 1 + width);
  if (kind === 'insert') return text.slice(0, offset) + piece + text.slice(offset);
  const lines = text.split('\n');
  const index = Math.floor(at * lines.length);
  const line = lines[index] ?? '';
  if (kind === 'drop line') return lines.toSpliced(index, 1).join('\n');
  if (kind === 'copy line') return lines.toSpliced(index, 0, lines[Math.floor(from * lines.length)] ?? '').join('\n');
  if (kind === 'indent') return lines.with(index, ' '.repeat(width) + line.replace(/^ {0,2}/, '')).join('\n');
  return lines.with(index, line.replace(/: .*/, `: ${piece}`)).join('\n');
}

function judge(text: string): readonly Diagnostic[] {
  return loadRules([{ file: 'rules.yml', text }], { isLinting: true }).diagnostics;
}

function isError({ severity }: Diagnostic): boolean {
  return severity === 'error';
}

describe('loadRules on damaged files', () => {
  it('starts from files without a problem', () => {
    expect(GOOD.flatMap((text) => judge(text).filter(isError))).toEqual([]);
  });

  it('never throws, and places every problem in the file', () => {
    fc.assert(
      fc.property(fc.oneof(damaged, fc.string({ unit: 'binary' })), (text) => {
        const lines = text.split(/\r\n|\r|\n/);
        return judge(text).every(({ line, column }) => {
          return line >= 1 && line <= lines.length && column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1;
        });
      }),
      { numRuns: 500 },
    );
  });

  it('judges a sample as promtool does', async (context) => {
    const promtool = await requirePromtool(context);
    const texts = fc.sample(damaged, 400).filter((text) => !promtool.isOld || !isBoundToVersion(judge(text)));
    const answers = promtool.accepts(texts);
    const different = texts.filter((text, index) => judge(text).some(isError) === answers[index]);
    expect(different).toEqual([]);
    expect(new Set(answers)).toEqual(new Set([true, false]));
  });
});

/** What versions before 3 judge another way: names in UTF-8, newer PromQL, and the word null where a text is needed. */
function isBoundToVersion(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ message }) => /needs Prometheus|has no name|has no "expr"/.test(message));
}
