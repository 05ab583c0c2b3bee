/** Generated rule files and histories through the engine, and everything it made of them judged by the real promtool. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHistoryServer } from '../../../engine/unit-tests/history-server.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { type Outcome, playCase } from './expectations.ts';
import { type GeneratedCase, generateCases } from './generated-case.ts';
import { judgeTests } from './promtool-verdicts.ts';

const SEED = 20_261_122;
const COUNT = 80;
/** Cases that are played at once, each in names of its own over the same Prometheus. */
const AT_ONCE = 4;

async function inTurns<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const queue = [...items.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** What is wrong with a verdict; a rule that fails in the engine must fail in promtool, too. */
function disagreement(found: GeneratedCase, outcome: Outcome | undefined, verdict = ''): readonly string[] {
  const isAgreed = outcome?.kind === 'failed' ? verdict.includes(`rule: ${outcome.rule}, `) : verdict === 'SUCCESS';
  const { name, rules, test } = found;
  return isAgreed ? [] : [`${name} ${outcome?.kind}\n${rules}\n${test}\n${verdict.slice(0, 3000)}`];
}

describe('generated rule files', () => {
  it(`${COUNT} of them: promtool accepts every alert, state, text, time and recorded value of the engine`, {
    timeout: 120_000,
  }, async (context) => {
    const tool = await requireTool(context, 'prometheus');
    const server = await startHistoryServer(tool, 60_000);
    onTestFinished(() => server.close());
    const cases = generateCases(COUNT, SEED);
    const outcomes = await inTurns(cases, (one) => playCase(one, server));
    const files = cases.map(({ name, rules }, index) => ({ name, rules, test: outcomes[index]?.file ?? '' }));
    const verdicts = judgeTests(programOf(tool, 'promtool'), temporaryDirectory(), files);
    expect(cases.flatMap((one, index) => disagreement(one, outcomes[index], verdicts[index]))).toEqual([]);
    const played = outcomes.flatMap((one) => (one.kind === 'played' ? one : []));
    // Cases in which nothing happens would prove nothing.
    expect(played.length).toBeGreaterThan(COUNT / 2);
    expect(played.filter(({ samples }) => samples > 0).length).toBeGreaterThan(played.length / 2);
    expect(outcomes.length - played.length).toBeGreaterThan(0);
  });
});
