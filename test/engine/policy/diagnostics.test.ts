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
