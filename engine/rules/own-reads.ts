/** Rules that read what the engine itself yields: answered from memory where Prometheus does not hold it. */
import type { Labels, Sample } from '../prometheus/query.ts';
import { type Selector, selectorsOf } from '../promql/promql.ts';
import { fullMatcher } from '../promql/regex.ts';
import { ALERTS, ALERTS_FOR_STATE } from './alert-series.ts';
import type { LoadedRule, RuleGroup } from './rule.ts';
import { LOOKBACK_MS, type RuleSeries } from './rule-series.ts';

/** A whole expression that memory can answer: one selector, perhaps compared with a number. */
export interface MemoryQuestion {
  matches(labels: Labels): boolean;
  holds(value: number): boolean;
}

/** How one rule reads series of the engine's own. */
export interface OwnRead {
  readonly file: string;
  readonly rule: LoadedRule;
  /** Names of the series, or the selector where it has no name. */
  readonly reads: readonly string[];
  /** Undefined when only Prometheus could answer. */
  readonly question: MemoryQuestion | undefined;
}

/** By id of the rule. */
export type OwnReads = ReadonlyMap<string, OwnRead>;

/** Every rule whose expression reads ALERTS, ALERTS_FOR_STATE or a name that one of the rules records. */
export function ownReadsOf(groups: readonly RuleGroup[]): OwnReads {
  const recorded = groups.flatMap(({ rules }) => rules.filter(({ kind }) => kind === 'recording'));
  const names = new Set([ALERTS, ALERTS_FOR_STATE, ...recorded.map(({ name }) => name)]);
  const reads = groups.flatMap(({ file, rules }) =>
    rules.flatMap((rule) => {
      const own = mayRead(rule.expr, names) ? selectorsOf(rule.expr).filter((one) => readsAny(one, names)) : [];
      if (own.length === 0) return [];
      const shown = own.map(({ name, from, to }) => name ?? rule.expr.slice(from, to));
      return [[rule.id, { file, rule, reads: [...new Set(shown)], question: questionOf(rule.expr, own) }] as const];
    }),
  );
  return new Map(reads);
}

/** What a person is told of rules that cannot be evaluated while Prometheus does not hold what they read. */
export function warningsOf(reads: OwnReads): readonly string[] {
  return [...reads.values()].filter(({ question }) => question === undefined).map(warningOf);
}

function warningOf(read: OwnRead): string {
  const { file, rule } = read;
  return `${file}:${rule.line}: rule ${rule.name} ${unreadable(read)}`;
}

/** Why a rule without an answer from memory fails, and what to do. */
export function unreadable({ reads }: OwnRead): string {
  const remedy =
    'start Prometheus with --web.enable-remote-write-receiver, or set REMOTE_WRITE_URL; where Prometheus evaluates the rules itself that record it, leave them out of RULE_FILES';
  return `reads ${reads.join(', ')}, which Prometheus does not hold because results of rules are not written to it: ${remedy}`;
}

export function answerFromMemory(
  question: MemoryQuestion,
  series: Iterable<RuleSeries>,
  atMs: number,
): readonly Sample[] {
  return [...series].flatMap((ofRule) => {
    const current = ofRule.current();
    if (current.atMs <= atMs - LOOKBACK_MS) return [];
    return [...current.samples].filter(({ labels, value }) => question.holds(value) && question.matches(labels));
  });
}

/** Names in quotes, and selectors without a name, are left to the parser; it is much slower than a look at the words. */
function mayRead(expr: string, names: ReadonlySet<string>): boolean {
  if (/__name__|[{,]\s*["'`]/.test(expr)) return true;
  return expr.match(/[\p{L}_:][\p{L}\p{N}_:]*/gu)?.some((word) => names.has(word)) ?? false;
}

function readsAny({ name, matchers }: Selector, names: ReadonlySet<string>): boolean {
  if (name !== undefined) return names.has(name);
  const ofName = matchers.filter(({ label }) => label === '__name__').map(compileMatcher);
  return ofName.length > 0 && [...names].some((own) => ofName.every((matches) => matches({ __name__: own })));
}

const COMPARISON = /^\s*(?:(==|!=|<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?))?\s*$/i;

function questionOf(expr: string, [selector, ...others]: readonly Selector[]): MemoryQuestion | undefined {
  if (selector === undefined || others.length > 0) return undefined;
  const comparison = COMPARISON.exec(expr.slice(selector.to));
  if (comparison === null || expr.slice(0, selector.from).trim() !== '') return undefined;
  const ofName = selector.name === undefined ? [] : [{ label: '__name__', op: '=', value: selector.name } as const];
  const matchers = [...ofName, ...selector.matchers].map(compileMatcher);
  const [, operator, bound] = comparison;
  const compare = operator === undefined ? () => true : COMPARE[operator];
  if (compare === undefined) return undefined;
  return {
    matches: (labels) => matchers.every((matches) => matches(labels)),
    holds: (value) => compare(value, Number(bound)),
  };
}

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function compileMatcher({ label, op, value }: Selector['matchers'][number]): (labels: Labels) => boolean {
  const read = (labels: Labels) => (Object.hasOwn(labels, label) ? (labels[label] ?? '') : '');
  if (op === '=') return (labels) => read(labels) === value;
  if (op === '!=') return (labels) => read(labels) !== value;
  const matches = fullMatcher(value);
  const isWanted = op === '=~';
  return (labels) => matches(read(labels)) === isWanted;
}
