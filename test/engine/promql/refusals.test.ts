/** What a person reads for every reason of refusal: the place, the words and the fix. */
import { describe, expect, it } from 'vitest';
import { checkPromql, type PromqlProblem } from '../../../engine/promql/promql.ts';
import { REFUSED } from './refused-expressions.ts';

describe('a refused expression', () => {
  it('is explained at the place that is wrong', async () => {
    const chapters = Object.entries(REFUSED).map(
      ([reason, expressions]) => `== ${reason}\n\n${expressions.map(explain).join('\n\n')}`,
    );
    await expect(`${chapters.join('\n\n')}\n`).toMatchFileSnapshot('golden/refused.txt');
  });
});

function explain(expr: string): string {
  return checkPromql(expr)
    .map((problem) => `${visible(expr)}\n${underline(problem)}\n${problem.message}\n  fix: ${problem.fix}`)
    .join('\n');
}

/** One character stays one character, so that the underline stays in place. */
function visible(expr: string): string {
  return expr.replaceAll('\n', '↵').replace(/[\p{Cc}\p{Zl}\u00a0]/gu, '·');
}

function underline({ from, to }: PromqlProblem): string {
  return `${' '.repeat(from)}${'^'.repeat(Math.max(1, to - from))}`;
}
