import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseYaml, type YamlDocument } from '../../../engine/policy/yaml.ts';

function document(source: string): YamlDocument {
  const parsed = parseYaml(source, 'policy.yml');
  if (!parsed.ok) throw new Error(parsed.diagnostics.map(({ message }) => message).join(', '));
  return parsed;
}

describe('parseYaml', () => {
  it('reads an empty file as null', () => {
    expect(document('').value).toBeNull();
    expect(document('# only a comment\n').value).toBeNull();
  });

  it('expands anchors, aliases and merge keys', () => {
    const { value } = document('a: &a { x: 1, y: 2 }\nb: *a\nc: { <<: *a, y: 3 }\n');
    expect(value).toEqual({ a: { x: 1, y: 2 }, b: { x: 1, y: 2 }, c: { x: 1, y: 3 } });
  });

  it('keeps YAML 1.2 meanings: yes and off are text, 0o17 is a number', () => {
    expect(document('a: yes\nb: off\nc: 0o17\nd: 2001-01-01\n').value).toEqual({
      a: 'yes',
      b: 'off',
      c: 15,
      d: '2001-01-01',
    });
  });

  it('reports every duplicate key, not only the first', () => {
    const parsed = parseYaml('a: 1\na: 2\nb: { c: 1, c: 2 }\n', 'policy.yml');
    expect(parsed).toEqual({
      ok: false,
      diagnostics: [
        expect.objectContaining({ line: 2, column: 1, endColumn: 2, message: 'duplicate key "a"' }),
        expect.objectContaining({ line: 3, column: 12, endColumn: 13, message: 'duplicate key "c"' }),
      ],
    });
  });

  it.each([
    ['deep nesting', '['.repeat(100_000)],
    ['aliases of aliases', nestedAliases(12)],
    ['a huge file', `a: ${'x'.repeat(5_000_000)}`],
  ])('refuses %s quickly', (_name, source) => {
    expect(parseYaml(source, 'policy.yml').ok).toBe(false);
  });

  it('never throws, whatever the text', () => {
    const yamlish = fc.array(
      fc.constantFrom(
        'a',
        ':',
        ' ',
        '\n',
        '\t',
        '-',
        '[',
        ']',
        '{',
        '}',
        '&a',
        '*a',
        '"',
        "'",
        '|',
        '>',
        '#',
        '<<',
        '\r',
        '!x',
        ',',
        '? ',
        '\u0000',
        '😀',
      ),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      yamlish.map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (source) => {
        const parsed = parseYaml(source, 'policy.yml');
        if (parsed.ok) return parsed.locate(['a', 0]).line > 0;
        return parsed.diagnostics.length > 0 && parsed.diagnostics.every(({ line, column }) => line > 0 && column > 0);
      }),
      { numRuns: 2000 },
    );
  });
});

function nestedAliases(levels: number): string {
  const rows = Array.from({ length: levels }, (_, i) => `a${i}: &a${i} [${`*a${i - 1},`.repeat(10)}]`);
  return [`a0: &a0 [x]`, ...rows.slice(1)].join('\n');
}

describe('locate', () => {
  const source = [
    'windows:',
    '  short: { range: 5m }',
    '  "long":',
    '    range: "2h"',
    'list: [1, 22]',
    'none:',
    '',
  ].join('\n');

  it.each([
    [['windows'], 'key', { line: 1, column: 1, endColumn: 8 }],
    [['windows', 'short', 'range'], 'key', { line: 2, column: 12, endColumn: 17 }],
    [['windows', 'short', 'range'], 'value', { line: 2, column: 19, endColumn: 21 }],
    [['windows', 'long'], 'key', { line: 3, column: 3, endColumn: 9 }],
    [['windows', 'long', 'range'], 'value', { line: 4, column: 12, endColumn: 16 }],
    [['list', 1], 'value', { line: 5, column: 11, endColumn: 13 }],
    [['none'], 'value', { line: 6, column: 1, endColumn: 5 }],
    [['windows', 'short', 'threshold'], 'value', { line: 2, column: 3, endColumn: 8 }],
    [['absent'], 'value', { line: 1, column: 1, endColumn: 2 }],
  ] as const)('%j %s', (path, part, position) => {
    expect(document(source).locate(path, part)).toEqual(position);
  });

  it('points into the anchored mapping for values an alias or merge brought in', () => {
    const merged = document('a: &a { x: 1 }\nb: *a\nc:\n  <<: *a\n');
    const definition = { line: 1, column: 12, endColumn: 13 };
    expect(merged.locate(['b', 'x'])).toEqual(definition);
    expect(merged.locate(['c', 'x'])).toEqual(definition);
    expect(merged.locate(['b'])).toEqual({ line: 2, column: 4, endColumn: 6 });
  });

  it('counts CRLF and CR as one line break', () => {
    expect(document('a: 1\r\nb: 2\rc: 3').locate(['c'])).toEqual({ line: 3, column: 4, endColumn: 5 });
  });

  it('points near a list item that is not written', () => {
    expect(document('labels:\n  - gpu\n  -\n').locate(['labels', 1])).toEqual({ line: 2, column: 8, endColumn: 9 });
  });

  it('ignores a byte order mark', () => {
    expect(document('\uFEFFa: 1').value).toEqual({ a: 1 });
  });
});

describe('locateInScalar', () => {
  it.each([
    ['plain', 'e: up + down\n', { line: 1, column: 9, endColumn: 13 }],
    ['single quoted', "e: 'up + down'\n", { line: 1, column: 10, endColumn: 14 }],
    ['double quoted', 'e: "up + down"\n', { line: 1, column: 10, endColumn: 14 }],
    ['literal block', 'e: |\n  up + down\n', { line: 2, column: 8, endColumn: 12 }],
    ['stripped literal block', 'e: |-\n    up + down\n\n', { line: 2, column: 10, endColumn: 14 }],
  ])('finds a part of a %s scalar', (_style, source, position) => {
    expect(document(source).locateInScalar(['e'], 5, 9)).toEqual(position);
  });

  it('follows escapes and doubled quotes', () => {
    expect(document('e: "a\\"\\u0041b"').locateInScalar(['e'], 3, 4)).toEqual({ line: 1, column: 14, endColumn: 15 });
    expect(document("e: 'a''b'").locateInScalar(['e'], 2, 3)).toEqual({ line: 1, column: 8, endColumn: 9 });
  });

  it('finds the right line of a literal block', () => {
    expect(document('e: |\n  up\n  + down\n').locateInScalar(['e'], 5, 9)).toEqual({
      line: 3,
      column: 5,
      endColumn: 9,
    });
  });

  it('falls back to the whole scalar where YAML folds lines', () => {
    expect(document('e: >-\n  up\n  + down\n').locateInScalar(['e'], 5, 9)).toEqual({
      line: 2,
      column: 3,
      endColumn: 5,
    });
    expect(document('e: up\n  + down\n').locateInScalar(['e'], 5, 9)).toEqual({ line: 1, column: 4, endColumn: 6 });
  });
});
