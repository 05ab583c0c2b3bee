/** What was expected beside what came, as text that people and diffs can read. */
import { isDeepStrictEqual } from 'node:util';
import { type LabelSet, showLabels } from '../core/alert.ts';
import { formatDuration } from '../policy/duration.ts';
import { QueryError, type Sample } from '../prometheus/query.ts';
import type { GroupStatus } from '../rules/status.ts';
import type { MadeDecision } from './decision-maker.ts';
import type { SentMessage } from './rehearsal.ts';
import type { AlertTest, DecisionTest, ExprTest, MessageTest, StateTest } from './unit-test.ts';

/** An expectation that did not hold. */
export interface Failure {
  /** Line of the expectation in the test file. */
  readonly line: number;
  readonly what: string;
  readonly expected: readonly string[];
  readonly got: readonly string[];
}

export function judgeAlerts(test: AlertTest, groups: readonly GroupStatus[]): Failure | undefined {
  const firing = alertsNamed(groups, test.alertname).filter(({ state }) => state === 'firing');
  return compare(`${test.alertname} firing at ${formatDuration(test.atMs)}`, test.line, {
    expected: test.expected.map(describeAlert),
    got: firing.map(describeAlert),
  });
}

export function judgeStates(test: StateTest, groups: readonly GroupStatus[], startMs: number): Failure | undefined {
  const isTimed = test.expected.some(({ activeAtMs }) => activeAtMs !== undefined);
  const since = (atMs: number | undefined) => (isTimed && atMs !== undefined ? ` since ${formatDuration(atMs)}` : '');
  return compare(`${test.alertname} at ${formatDuration(test.atMs)}`, test.line, {
    expected: test.expected.map((alert) => `${alert.state}${since(alert.activeAtMs)} ${describeAlert(alert)}`),
    got: statesNamed(groups, test.alertname).map(
      ({ state, activeAt, ...alert }) => `${state}${since(activeAt - startMs)} ${describeAlert(alert)}`,
    ),
  });
}

export function judgeMessages(test: MessageTest, sent: readonly SentMessage[], startMs: number): Failure | undefined {
  const wanted = sent.filter(({ labels, sentAt }) => {
    return labels.alertname === test.alertname && sentAt >= startMs + test.fromMs && sentAt <= startMs + test.toMs;
  });
  const times = (at: number, startsAt: number, endsAt: number) => [at, startsAt, endsAt].map(formatInstant).join(' ');
  return compare(
    `messages of ${test.alertname}, ${formatDuration(test.fromMs)} to ${formatDuration(test.toMs)}`,
    test.line,
    {
      expected: test.expected.map(
        (m) => `at, from, until ${times(m.atMs, m.startsAtMs, m.endsAtMs)} ${describeAlert(m)}`,
      ),
      got: wanted.map(
        (m) =>
          `at, from, until ${times(m.sentAt - startMs, m.startsAt - startMs, m.endsAt - startMs)} ${describeAlert(m)}`,
      ),
    },
  );
}

/** `made` is why there is none where Prometheus gave no answer. */
export function judgeDecision(test: DecisionTest, made: MadeDecision | QueryError): Failure | undefined {
  const describe = ({ status, retryAfter, reason }: Pick<DecisionTest, 'status' | 'retryAfter' | 'reason'>) => [
    `status ${status}`,
    ...(test.retryAfter === undefined ? [] : [`Retry-After ${retryAfter ?? 'none'}`]),
    ...(test.reason === undefined ? [] : [`reason ${reason}`]),
  ];
  const subject = test.gpu ?? test.node ?? 'the fleet';
  return compare(`${test.capability} on ${subject} at ${formatDuration(test.atMs)}`, test.line, {
    expected: describe(test),
    got: made instanceof QueryError ? [describeError(made)] : describe(made),
  });
}

/** `got` may be why nothing came. `isFuzzy` takes neighbouring floating-point numbers for equal. */
export function judgeExpr(test: ExprTest, got: readonly Sample[] | QueryError, isFuzzy: boolean): Failure | undefined {
  const what = `${test.expr} at ${formatDuration(test.atMs)}`;
  const expected = test.expected.map(describeSample).sort();
  if (got instanceof QueryError) return { line: test.line, what, expected, got: [describeError(got)] };
  const unmatched = [...got];
  const isFound = test.expected.every(({ labels, value }) => {
    const at = unmatched.findIndex(
      (s) => isDeepStrictEqual(sorted(s.labels), sorted(labels)) && isSame(s.value, value, isFuzzy),
    );
    return at >= 0 && unmatched.splice(at, 1).length > 0;
  });
  if (isFound && unmatched.length === 0) return undefined;
  return { line: test.line, what, expected, got: got.map(describeSample).sort() };
}

function describeSample({ labels, value }: Sample): string {
  return `${describeLabels(labels)} ${value}`;
}

function describeError({ message }: QueryError): string {
  return `error: ${message}`;
}

function isSame(a: number, b: number, isFuzzy: boolean): boolean {
  if (Object.is(a, b) || a === b) return true;
  return isFuzzy && (neighbour(a, 1n) === b || neighbour(a, -1n) === b);
}

/** The next floating-point number, further from 0 for 1 and nearer to it for -1. */
function neighbour(value: number, step: bigint): number {
  const bits = new BigInt64Array(new Float64Array([value]).buffer);
  bits[0] = (bits[0] ?? 0n) + step;
  return new Float64Array(bits.buffer)[0] ?? value;
}

interface Sides {
  readonly expected: readonly string[];
  readonly got: readonly string[];
}

function compare(what: string, line: number, { expected, got }: Sides): Failure | undefined {
  const [wanted, found] = [[...expected].sort(), [...got].sort()];
  return isDeepStrictEqual(wanted, found) ? undefined : { line, what, expected: wanted, got: found };
}

function alertsNamed(groups: readonly GroupStatus[], name: string) {
  const rules = groups
    .flatMap((group) => group.rules)
    .filter(({ rule }) => rule.kind === 'alerting' && rule.name === name);
  return rules.flatMap(({ alerts }) => alerts);
}

function statesNamed(groups: readonly GroupStatus[], name: string) {
  const rules = groups
    .flatMap((group) => group.rules)
    .filter(({ rule }) => rule.kind === 'alerting' && rule.name === name);
  return rules.flatMap(({ alerts, resolved }) => [...alerts, ...resolved]);
}

function describeAlert({ labels, annotations }: { readonly labels: LabelSet; readonly annotations: LabelSet }): string {
  return `${describeLabels(labels)} ${describeLabels(annotations)}`;
}

function describeLabels(labels: LabelSet): string {
  const { __name__: name = '', ...rest } = sorted(labels);
  return `${name}${showLabels(rest)}`;
}

/** A label without a value is no label. */
function sorted(labels: LabelSet): LabelSet {
  const entries = Object.entries(labels).filter(([, value]) => value !== '');
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function formatInstant(ms: number): string {
  return ms < 0 ? `-${formatDuration(-ms)}` : formatDuration(ms);
}
