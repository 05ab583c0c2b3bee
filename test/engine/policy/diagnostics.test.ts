import { describe, expect, it } from 'vitest';
import { type Diagnostic, renderDiagnostics } from '../../../engine/policy/diagnostics.ts';
import { editDistance, nearestName } from '../../../engine/policy/nearest-name.ts';

const ERROR: Diagnostic = {
  file: 'rules/policy.yml',
  line: 2,
  column: 3,
  endColumn: 12,
  severity: 'error',
  message: 'unknown key "tresholds"',
  fix: 'did you mean "threshold"?',
};

describe('renderDiagnostics', () => {
  it('shows place, message, line, caret and fix', () => {
    expect(renderDiagnostics([ERROR], { 'rules/policy.yml': 'short:\n  tresholds: 95\n' })).toBe(
      [
        'rules/policy.yml:2:3: error: unknown key "tresholds"',
        '  2 |   tresholds: 95',
        '    |   ^^^^^^^^^',
        '  fix: did you mean "threshold"?',
        '',
      ].join('\n'),
    );
  });

  it('orders by file, line and column', () => {
    const shuffled = [
      { ...ERROR, line: 10, message: 'c' },
      { ...ERROR, column: 9, message: 'b' },
      { ...ERROR, file: 'a.yml', line: 99, message: 'first' },
      { ...ERROR, message: 'a' },
    ];
    const messages = [...renderDiagnostics(shuffled).matchAll(/error: (\w+)/g)].map(([, message]) => message);
    expect(messages).toEqual(['first', 'a', 'b', 'c']);
  });

  it('keeps the caret under its column after a tab', () => {
    const rendered = renderDiagnostics([{ ...ERROR, line: 1, column: 2, endColumn: 3 }], { 'rules/policy.yml': '\tx' });
    expect(rendered.split('\n').slice(1, 3)).toEqual(['  1 | \tx', '    | \t^']);
  });

  const excerptOf = (source: string, column: number, endColumn: number) => {
    const rendered = renderDiagnostics([{ ...ERROR, line: 1, column, endColumn }], { 'rules/policy.yml': source });
    return rendered.split('\n').slice(1, 3);
  };

  const filled = (width: number) => 'x'.repeat(width);

  it.each([
    ['at its start', `bad${filled(197)}`, 1, `bad${filled(117)}…`, '^^^'],
    ['at its end', `${filled(197)}bad`, 198, `…${filled(117)}bad`, `${' '.repeat(118)}^^^`],
    [
      'in its middle',
      `${filled(200)}bad${filled(200)}`,
      201,
      `…${filled(40)}bad${filled(77)}…`,
      `${' '.repeat(41)}^^^`,
    ],
    [
      'between pairs',
      `${'😀'.repeat(100)}bad${'😀'.repeat(100)}`,
      201,
      `…${'😀'.repeat(20)}bad${'😀'.repeat(38)}…`,
      `${' '.repeat(41)}^^^`,
    ],
    [
      'inside pairs',
      `x${'😀'.repeat(99)}xbad${'😀'.repeat(100)}`,
      201,
      `…${'😀'.repeat(19)}xbad${'😀'.repeat(38)}…`,
      `${' '.repeat(40)}^^^`,
    ],
  ])('cuts a long line around the mistake %s', (_, source, column, shown, underline) => {
    expect(excerptOf(source, column, column + 3)).toEqual([`  1 | ${shown}`, `    | ${underline}`]);
  });

  it('shows a line of 120 characters whole, and underlines no more than it shows', () => {
    expect(excerptOf(filled(120), 1, 121)).toEqual([`  1 | ${filled(120)}`, `    | ${'^'.repeat(120)}`]);
    expect(excerptOf(filled(300), 101, 301)).toEqual([
      `  1 | …${filled(120)}…`,
      `    | ${' '.repeat(41)}${'^'.repeat(80)}`,
    ]);
  });

  it('shows fifty problems of a file, errors before warnings, and says how many there are beside them', () => {
    const many = Array.from({ length: 60 }, (_, i): Diagnostic => ({ ...ERROR, line: i + 1, severity: 'warning' }));
    const last: Diagnostic = { ...ERROR, line: 99, message: 'last' };
    const other: Diagnostic = { ...ERROR, file: 'z.yml', message: 'other' };
    const heads = renderDiagnostics([other, ...many, last])
      .split('\n')
      .filter((line) => /^\S/.test(line));
    expect(heads.slice(48)).toEqual([
      'rules/policy.yml:49:3: warning: unknown key "tresholds"',
      'rules/policy.yml:99:3: error: last',
      'rules/policy.yml: … and 11 more',
      'z.yml:2:3: error: other',
    ]);
  });

  it('leaves place and line out for a problem without one', () => {
    expect(renderDiagnostics([{ ...ERROR, file: 'environment', line: 0, column: 0, fix: '' }])).toBe(
      'environment: error: unknown key "tresholds"\n',
    );
  });
});

describe('nearestName', () => {
  it('finds the closest name within a third of the length', () => {
    expect(nearestName('tresholds', ['range', 'threshold'])).toBe('threshold');
    expect(nearestName('MIN', ['min', 'max'])).toBe('min');
    expect(nearestName('abc', ['xyz'])).toBeUndefined();
  });

  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['threshold', 'treshold', 1],
    ['mni', 'min', 1],
    ['kitten', 'sitting', 3],
  ])('%s and %s are %d apart', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});
