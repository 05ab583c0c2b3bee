/** Runs the tests of a file, one after the other, each in a world of its own. */
import type { Policy } from '../core/policy.ts';
import { QueryError } from '../prometheus/query.ts';
import { WriteError } from '../prometheus/series-writer.ts';
import type { RuleGroup } from '../rules/rule.ts';
import { loadRules, type RuleSource } from '../rules/rule-file.ts';
import type { InstalledTool } from '../stack/inspection.ts';
import { type HistoryServer, HistoryServerError, startHistoryServer } from './history-server.ts';
import { Rehearsal, UnexpectedRuleError } from './rehearsal.ts';
import type { UnitTest, UnitTestFile } from './unit-test.ts';
import { type Failure, judgeAlerts, judgeDecision, judgeExpr, judgeMessages, judgeStates } from './verdict.ts';

export interface TestRun {
  readonly name: string;
  readonly line: number;
  readonly durationMs: number;
  readonly failures: readonly Failure[];
  /** Why the test could not be played to its end; undefined when it could. */
  readonly error: string | undefined;
}

export interface RunOptions {
  readonly tests: UnitTestFile;
  readonly rules: readonly RuleSource[];
  readonly policy: Policy;
  readonly prometheus: InstalledTool;
  /** Which tests to run, by name. */
  isWanted(name: string): boolean;
  readonly signal: AbortSignal;
}

/** Runs what is wanted; whoever iterates hears of each test as it ends. */
export async function* runTests(options: RunOptions): AsyncGenerator<TestRun> {
  for (const test of options.tests.tests) {
    if (!options.isWanted(test.name) || options.signal.aborted) continue;
    const startedAt = performance.now();
    const outcome = await runTest(options, test);
    yield { name: test.name, line: test.line, durationMs: performance.now() - startedAt, ...outcome };
  }
}

type Outcome = Pick<TestRun, 'failures' | 'error'>;

async function runTest(options: RunOptions, test: UnitTest): Promise<Outcome> {
  const { tests, rules, policy, prometheus, signal } = options;
  // Read anew for each test, because groups without an interval have that of the test, as in promtool.
  const { groups } = loadRules(rules, { intervalMs: tests.intervalMs });
  const failures: Failure[] = [];
  try {
    const server = await startHistoryServer(prometheus, tests.intervalMs);
    await play(tests, test, { groups, policy, server, signal }, failures).finally(() => server.close());
    return { failures, error: undefined };
  } catch (error) {
    return { failures, error: describeEnd(error) };
  }
}

const EXPECTED = [UnexpectedRuleError, HistoryServerError, QueryError, WriteError];

/** No test ends those after it. What neither rules nor Prometheus have done is a fault of ours, and its stack says where. */
function describeEnd(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return EXPECTED.some((kind) => error instanceof kind) ? error.message : (error.stack ?? error.message);
}

interface World {
  readonly groups: readonly RuleGroup[];
  readonly policy: Policy;
  readonly server: HistoryServer;
  readonly signal: AbortSignal;
}

/** Adds what does not hold to `failures`, so that what was found stays when the rest cannot be played. */
async function play(tests: UnitTestFile, test: UnitTest, world: World, failures: Failure[]): Promise<void> {
  const rehearsal = await Rehearsal.begin({ ...world, test, groupOrder: tests.groupOrder });
  try {
    // As in promtool, rules are evaluated once even where nothing is expected: one that fails is found.
    await rehearsal.advance(0);
    for (const { atMs, check } of checksOf(test, tests.isFuzzy, rehearsal, world)) {
      await rehearsal.advance(atMs);
      const failure = await check();
      if (failure !== undefined) failures.push(failure);
    }
  } finally {
    await rehearsal.close();
  }
}

interface Check {
  readonly atMs: number;
  check(): Promise<Failure | undefined> | Failure | undefined;
}

/** In the order of their instants. Expressions come last: they see all of the history, as in promtool. */
function checksOf(test: UnitTest, isFuzzy: boolean, rehearsal: Rehearsal, { server, signal }: World): readonly Check[] {
  const { startMs } = test;
  const timed: Check[] = [
    ...test.alertTests.map((one) => ({ atMs: one.atMs, check: () => judgeAlerts(one, rehearsal.groups()) })),
    ...test.stateTests.map((one) => ({ atMs: one.atMs, check: () => judgeStates(one, rehearsal.groups(), startMs) })),
    ...test.messageTests.map((one) => ({ atMs: one.toMs, check: () => judgeMessages(one, rehearsal.sent(), startMs) })),
    ...test.decisionTests.map((one) => ({
      atMs: one.atMs,
      check: async () =>
        judgeDecision(one, await orQueryError(rehearsal.decisions.decideAt(startMs + one.atMs, one, signal))),
    })),
  ].sort((a, b) => a.atMs - b.atMs);
  const last = Math.max(0, ...timed.map(({ atMs }) => atMs), ...test.exprTests.map(({ atMs }) => atMs));
  const expressions = test.exprTests.map((one) => ({
    atMs: last,
    check: async () =>
      judgeExpr(one, await orQueryError(server.query.instant(one.expr, startMs + one.atMs, signal)), isFuzzy),
  }));
  return [...timed, ...expressions];
}

/** An expression that fails is a failed expectation, and the others are still looked at. */
async function orQueryError<T>(answer: Promise<T>): Promise<T | QueryError> {
  return answer.catch((error: unknown) => {
    if (error instanceof QueryError) return error;
    throw error;
  });
}
