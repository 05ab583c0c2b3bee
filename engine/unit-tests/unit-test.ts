/** Unit tests of rules and policy as they are written in a file: promtool's format, and what this engine adds to it. */
import type { LabelSet } from '../core/alert.ts';
import type { NotedSample } from './series-notation.ts';

/** A place in the test file that results point to. */
interface Placed {
  readonly line: number;
}

export interface InputSeries {
  readonly labels: LabelSet;
  /** One per interval of the test, from its start. */
  readonly samples: readonly NotedSample[];
}

export interface ExpectedAlert {
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
}

/** `alert_rule_test`: the firing alerts of a name, all of them. */
export interface AlertTest extends Placed {
  readonly atMs: number;
  readonly alertname: string;
  readonly expected: readonly ExpectedAlert[];
}

export interface ExpectedSample {
  readonly labels: LabelSet;
  readonly value: number;
}

/** `promql_expr_test`: what an expression yields. */
export interface ExprTest extends Placed {
  readonly expr: string;
  readonly atMs: number;
  readonly expected: readonly ExpectedSample[];
}

export interface ExpectedState extends ExpectedAlert {
  readonly state: 'pending' | 'firing' | 'resolved';
  /** Undefined where the test does not care. */
  readonly activeAtMs: number | undefined;
}

/** `alert_state_test`: every alert of a name that is pending, firing or lately resolved. */
export interface StateTest extends Placed {
  readonly atMs: number;
  readonly alertname: string;
  readonly expected: readonly ExpectedState[];
}

export interface ExpectedMessage extends ExpectedAlert {
  readonly atMs: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

/** `message_test`: every message about an alert that is sent in [from, to]. */
export interface MessageTest extends Placed {
  readonly fromMs: number;
  readonly toMs: number;
  readonly alertname: string;
  readonly expected: readonly ExpectedMessage[];
}

/** `decision_test`: what a gateway is told. */
export interface DecisionTest extends Placed {
  readonly atMs: number;
  readonly capability: string;
  readonly node: string | undefined;
  readonly gpu: string | undefined;
  readonly status: number;
  /** Seconds; undefined where the test does not care. */
  readonly retryAfter: number | undefined;
  readonly reason: string | undefined;
}

/** A span in which something goes wrong, [from, to]; without a name, for all groups or rules. */
export interface Trouble {
  readonly fromMs: number;
  readonly toMs: number;
  readonly name: string | undefined;
}

/** All instants are milliseconds since the test's start. */
export interface UnitTest extends Placed {
  readonly name: string;
  /** Time between two samples of the input series. */
  readonly intervalMs: number;
  /** The test's start, milliseconds since the epoch. */
  readonly startMs: number;
  readonly series: readonly InputSeries[];
  readonly externalLabels: LabelSet;
  readonly externalUrl: string;
  readonly alertTests: readonly AlertTest[];
  readonly exprTests: readonly ExprTest[];
  readonly stateTests: readonly StateTest[];
  readonly messageTests: readonly MessageTest[];
  readonly decisionTests: readonly DecisionTest[];
  /** When the engine is killed and started again on its store. */
  readonly restartsMs: readonly number[];
  /** Groups that are not evaluated. */
  readonly missed: readonly Trouble[];
  /** Rules whose query fails. */
  readonly queryErrors: readonly Trouble[];
}

export interface UnitTestFile {
  readonly file: string;
  /** Globs, as written. */
  readonly ruleFiles: readonly string[];
  readonly policyFile: string | undefined;
  /** Interval of groups that have none. */
  readonly intervalMs: number;
  /** Groups named here are evaluated first, in this order, where several are due together. */
  readonly groupOrder: readonly string[];
  /** Whether neighbouring floating-point numbers count as equal. */
  readonly isFuzzy: boolean;
  readonly tests: readonly UnitTest[];
}
