/** The check against the real promtool: the same verdict on every expression, of whichever release is installed. */
import fc from 'fast-check';
import { describe, expect, it, type TestContext } from 'vitest';
import { checkPromql } from '../../../engine/promql/promql.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { ACCEPTED } from './accepted-expressions.ts';
import { AGGREGATED, CALLS, MODIFIED, OPERATIONS } from './combinations.ts';
import { CHANGED_EXPRESSION, VALID_EXPRESSION } from './expression-generator.ts';
import { isAcceptedBy, isOlder, promtoolAccepts, promtoolRelease } from './promtool.ts';
import { REFUSED } from './refused-expressions.ts';
import { DIFFERENCES, SLIPS } from './version-differences.ts';

/** Expressions on which the check and promtool differ; `ours` is what the check says of the installed release. */
async function disagreements(context: TestContext, expressions: readonly string[]) {
  const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
  const release = promtoolRelease(promtool);
  const verdicts = promtoolAccepts(promtool, expressions);
  return expressions
    .map((expr, index) => ({ expr, ours: isAcceptedBy(release, expr), theirs: verdicts[index] }))
    .filter(({ ours, theirs }) => ours !== theirs);
}

describe('the check and promtool', () => {
  it('refuse the same of what every release refuses', async (context) => {
    expect(await disagreements(context, Object.values(REFUSED).flat())).toEqual([]);
  });

  it('accept the same of what every release accepts', async (context) => {
    expect(await disagreements(context, ACCEPTED)).toEqual([]);
  });

  it('agree on every function with every count and type of arguments', async (context) => {
    expect(CALLS.length).toBeGreaterThan(700);
    expect(await disagreements(context, CALLS)).toEqual([]);
  });

  it('agree on every aggregation with every type', async (context) => {
    expect(AGGREGATED.length).toBeGreaterThan(350);
    expect(await disagreements(context, AGGREGATED)).toEqual([]);
  });

  it('agree on every operator and modifier between every two types', async (context) => {
    expect(OPERATIONS.length).toBe(16 * 9 * 16);
    expect(await disagreements(context, OPERATIONS)).toEqual([]);
  });

  it('agree on signs, ranges, subqueries, offsets and @ after every type', async (context) => {
    expect(MODIFIED.length).toBe(4 * 2 * 10);
    expect(await disagreements(context, MODIFIED)).toEqual([]);
  });

  // Seeded, so that a green run stays green; a new seed is tried by hand when the grammar changes.
  it('agree on generated expressions, whole and with tokens changed', async (context) => {
    const whole = fc.sample(VALID_EXPRESSION, { seed: 4, numRuns: 800 });
    const changed = fc.sample(CHANGED_EXPRESSION, { seed: 4, numRuns: 2400 });
    expect(whole.filter((expr) => checkPromql(expr).length > 0)).toEqual([]);
    expect(changed.filter((expr) => checkPromql(expr).length > 0).length).toBeGreaterThan(1000);
    expect(await disagreements(context, [...whole, ...changed])).toEqual([]);
  });
});

describe('the releases', () => {
  it.each(DIFFERENCES)('differ on %s, and the limits of the expression say so', (expr, accepted) => {
    expect(checkPromql(expr)).toEqual([]);
    expect([isAcceptedBy([2, 42], expr), isAcceptedBy([3, 5], expr), isAcceptedBy([3, 14], expr)]).toEqual(accepted);
  });

  it('differ as the table says, for the one that is installed', async (context) => {
    const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
    const column = columnOf(promtoolRelease(promtool));
    const rows = [...DIFFERENCES, ...SLIPS.map(({ expr, accepted }) => [expr, accepted] as const)];
    const verdicts = promtoolAccepts(
      promtool,
      rows.map(([expr]) => expr),
    );
    expect(rows.map(([expr], index) => [expr, verdicts[index]])).toEqual(
      rows.map(([expr, accepted]) => [expr, accepted[column]]),
    );
  });

  it.each(SLIPS)('slip on $expr, which the check does not follow', ({ expr, isAccepted }) => {
    expect(checkPromql(expr).length === 0).toBe(isAccepted);
  });
});

/** The column of the newest release in the table that is not newer than the installed one. */
function columnOf(release: readonly [number, number]): 0 | 1 | 2 {
  if (isOlder(release, '3.5')) return 0;
  return isOlder(release, '3.14') ? 1 : 2;
}
