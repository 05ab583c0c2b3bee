import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPromql, endsInComment, isPlainSelector, promqlResult } from '../../../engine/policy/promql.ts';

describe('checkPromql', () => {
  it.each([
    'up',
    'up{job="prometheus", instance=~"a.*"}',
    '{__name__="up"}',
    'rate(DCGM_FI_DEV_XID_ERRORS[5m]) > 0',
    'max by (UUID) (timestamp(DCGM_FI_DEV_GPU_TEMP))',
    'max_over_time(up[2h:5s] offset 1d)',
    '(a + on (UUID) group_left b) * 1048576 / 1e9',
    'a # with a comment\n+ b',
  ])('accepts %s', (expr) => {
    expect(checkPromql(expr)).toEqual([]);
  });

  it.each([
    ['', 0, 0, 'the expression is empty'],
    ['up{job="a"', 2, 3, '"{" is never closed'],
    ['sum by (UUID) (up', 14, 15, '"(" is never closed'],
    ['rate(up[5m)', 10, 11, 'something is missing before ")"'],
    ['up)', 2, 3, 'unexpected ")"'],
    ['up and', 3, 6, '"and" needs something after it'],
    ['abss(up)', 0, 4, '"abss" is not a PromQL function'],
    ['rate(up[5x])', 9, 10, 'unexpected "x"'],
    ['up{job=gpu}', 7, 10, 'label values are quoted'],
    ['up{a="1" b="2"}', 9, 10, 'something is missing before "b"'],
    ['up{job=~"("}', 8, 11, 'invalid regular expression: missing closing ): `(`'],
    ['sum({})', 4, 6, '{} matches every series'],
  ])('refuses %s', (expr, from, to, message) => {
    expect(checkPromql(expr)).toEqual([expect.objectContaining({ from, to, message })]);
  });

  it('refuses an expression nobody wrote', () => {
    expect(checkPromql('('.repeat(20_000))).toEqual([
      expect.objectContaining({ message: 'the expression is longer than 10000 characters' }),
    ]);
  });

  it('never throws and stays inside the expression, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (expr) =>
        checkPromql(expr).every(({ from, to }) => from >= 0 && from <= to && from <= expr.length),
      ),
    );
  });
});

describe('isPlainSelector', () => {
  it.each(['up', 'up{job="a"}', '{__name__=~"DCGM_.*"}'])('%s is one', (expr) => {
    expect(isPlainSelector(expr)).toBe(true);
  });

  it.each(['up offset 5m', 'up @ end()', 'up[5m]', '(up)', '-up', 'up + up', 'abs(up)', '1', '', 'up # c', '{}'])(
    '%s is not',
    (expr) => {
      expect(isPlainSelector(expr)).toBe(false);
    },
  );
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
    ['up[5m]', 'range'],
    ['up[5m:1m] offset 1h', 'range'],
    ['"up"', 'string'],
  ])('%s yields a %s', (expr, kind) => {
    expect(promqlResult(expr)).toBe(kind);
  });
});

describe('endsInComment', () => {
  it('is true only for a comment nothing follows', () => {
    expect(endsInComment('up # all')).toBe(true);
    expect(endsInComment('up # all\n+ down')).toBe(false);
    expect(endsInComment('up{a="#"}')).toBe(false);
  });
});
