import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkPromql,
  endsInComment,
  isPlainSelector,
  promqlResult,
  selectorsOf,
  versionLimits,
} from '../../../engine/promql/promql.ts';
import { ACCEPTED } from './accepted-expressions.ts';
import { CHANGED_EXPRESSION } from './expression-generator.ts';
import { REFUSED } from './refused-expressions.ts';

describe('checkPromql', () => {
  it.each(ACCEPTED)('accepts %s, on every release', (expr) => {
    expect([...checkPromql(expr), ...versionLimits(expr)]).toEqual([]);
  });

  it.each(Object.values(REFUSED).flat())('refuses %s', (expr) => {
    expect(checkPromql(expr)).not.toEqual([]);
  });

  it('reports a problem with its place, its reason and its fix', () => {
    expect(checkPromql('sum(rate(up))')).toEqual([
      {
        from: 9,
        to: 11,
        message: 'argument 1 of rate() is an instant vector, it takes a range vector',
        fix: 'add a range, such as [5m], to the selector',
      },
    ]);
  });

  it('reports every problem of types and values, but a syntax error alone', () => {
    expect(checkPromql('rate(up) + abs(up[5m])').map(({ from }) => from)).toEqual([5, 15]);
    expect(checkPromql('rate(up) + abs(up[5m]) +').map(({ from }) => from)).toEqual([23]);
  });

  it('accepts a sum of ten thousand terms', () => {
    expect(checkPromql(`up${' + up'.repeat(10_000)}`)).toEqual([]);
  });

  it.each([
    ['deep brackets', `${'('.repeat(2000)}up${')'.repeat(2000)}`, 'the expression is nested more than 250 levels deep'],
    ['deep powers', `2${' ^ 2'.repeat(2000)}`, 'the expression is nested more than 250 levels deep'],
    ['deep signs', `${'-'.repeat(2000)}up`, 'the expression is nested more than 250 levels deep'],
    ['deep durations', `up[${'('.repeat(2000)}5m`, 'the expression is nested more than 250 levels deep'],
    ['endless text', `up${' + up'.repeat(20_000)}`, 'the expression is longer than 100000 characters'],
  ])('refuses %s, which nobody wrote', (_, expr, message) => {
    expect(checkPromql(expr)).toEqual([expect.objectContaining({ message, fix: 'use a recording rule' })]);
  });

  it.each([
    ['any text', fc.string({ unit: 'binary' })],
    ['what is almost PromQL', CHANGED_EXPRESSION],
    ['strings', fc.string({ unit: fc.constantFrom('"', "'", '`', '\\', 'x', 'u', '0', '4', '\n', '\ud800') })],
  ])('never throws and stays inside the expression, for %s', (_, texts) => {
    fc.assert(
      fc.property(texts, (expr) =>
        checkPromql(expr).every(({ from, to }) => from >= 0 && from <= to && to <= expr.length),
      ),
    );
  });
});

describe('versionLimits', () => {
  it('says what only some releases accept', () => {
    expect(versionLimits('holt_winters({"up"}[300], 0.5, 1_0)')).toEqual([
      { from: 14, to: 18, what: 'a quoted name', since: '3.0' },
      { from: 20, to: 23, what: 'a number as a duration', since: '2.54' },
      { from: 31, to: 34, what: '"_" between digits', since: '2.54' },
      { from: 0, to: 12, what: 'holt_winters()', until: '3.0' },
    ]);
  });

  it('says nothing of an expression that is not valid', () => {
    expect(versionLimits('rate({"up"})')).toEqual([]);
  });
});

describe('selectorsOf', () => {
  it.each([
    ['1 + 2', []],
    ['up', [{ name: 'up', matchers: [], from: 0, to: 2 }]],
    [
      'rate(ALERTS{alertstate!="firing", a=~"b\\\\d"}[5m] offset 1h)',
      [
        {
          name: 'ALERTS',
          matchers: [
            { label: 'alertstate', op: '!=', value: 'firing' },
            { label: 'a', op: '=~', value: 'b\\d' },
          ],
          from: 5,
          to: 44,
        },
      ],
    ],
    ['{__name__="up", a=""}', [{ name: 'up', matchers: [{ label: 'a', op: '=', value: '' }], from: 0, to: 21 }]],
    ['{"a.b"}', [{ name: 'a.b', matchers: [], from: 0, to: 7 }]],
    [
      '{__name__=~"a|b"}',
      [{ name: undefined, matchers: [{ label: '__name__', op: '=~', value: 'a|b' }], from: 0, to: 17 }],
    ],
    [
      'sum by (sum) (a) / on () group_left offset',
      [
        { name: 'a', matchers: [], from: 14, to: 15 },
        { name: 'offset', matchers: [], from: 36, to: 42 },
      ],
    ],
    ['rate(up)', []],
  ])('of %s', (expr, selectors) => {
    expect(selectorsOf(expr)).toEqual(selectors);
  });
});

describe('isPlainSelector', () => {
  it.each(['up', ' up\n', 'up{job="a"}', '{__name__=~"DCGM_.*"}'])('%s is one', (expr) => {
    expect(isPlainSelector(expr)).toBe(true);
  });

  it.each([
    'up offset 5m',
    'up offset 0s',
    'up @ end()',
    'up[5m]',
    '(up)',
    '-up',
    'up + up',
    'abs(up)',
    '1',
    '',
    'up # c',
    '# c\nup',
    '{}',
  ])('%s is not', (expr) => {
    expect(isPlainSelector(expr)).toBe(false);
  });
});

describe('promqlResult', () => {
  it.each([
    ['up', 'vector'],
    ['-up', 'vector'],
    ['up * 2', 'vector'],
    ['vector(1)', 'vector'],
    ['1 + 1', 'number'],
    ['(time())', 'number'],
    ['scalar(up)', 'number'],
    ['1 == bool 2', 'number'],
    ['up[5m]', 'range'],
    ['up[5m:1m] offset 1h', 'range'],
    ['("up")', 'string'],
  ])('%s yields a %s', (expr, kind) => {
    expect(promqlResult(expr)).toBe(kind);
  });
});

describe('endsInComment', () => {
  it('is true only for a comment nothing follows', () => {
    expect(endsInComment('up # all')).toBe(true);
    expect(endsInComment('up # all\n')).toBe(true);
    expect(endsInComment('up # all\n+ down')).toBe(false);
    expect(endsInComment('up{a="#"}')).toBe(false);
  });
});
