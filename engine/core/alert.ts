/**
 * One alert rule as a fold: what Prometheus' rule manager does with each result of the rule's query.
 * All instants are milliseconds since the epoch; `at` is the evaluation instant.
 */

export type LabelSet = Readonly<Record<string, string>>;

/** One element of the rule's result: the labels (`alertLabels`) and annotations of its alert, and its value. */
export interface AlertElement {
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  readonly value: number;
}

/** What the fold needs to know of a rule. */
export interface AlertRule {
  readonly name: string;
  readonly expr: string;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  /** More pending and firing alerts than this fail the rule; 0 is no limit. */
  readonly limit: number;
}

interface AlertFacts {
  /** Identity: the label set in one string. */
  readonly key: string;
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  readonly value: number;
  readonly activeAt: number;
  /** The last unknown result that raised it: it confirms this alert, and no other of the rule. */
  readonly raisedAt?: number;
}

interface PendingAlert extends AlertFacts {
  readonly state: 'pending';
}

interface FiringAlert extends AlertFacts {
  readonly state: 'firing';
  readonly firedAt: number;
  /** Since when only `keep_firing_for` keeps it firing. */
  readonly missingSince?: number;
  /** Evaluation instant after which it was last sent. */
  readonly lastSentAt?: number;
}

/** Over, and remembered so that the end can be sent again. */
interface ResolvedAlert extends AlertFacts {
  readonly state: 'inactive';
  readonly firedAt: number;
  readonly resolvedAt: number;
  readonly lastSentAt?: number;
}

export type Alert = PendingAlert | FiringAlert | ResolvedAlert;

/** Plain data; JSON holds all of it but non-finite values. */
export interface RuleState {
  readonly alerts: readonly Alert[];
  /** The last evaluation that gave a usable result: since then nothing is known. */
  readonly confirmedAt?: number;
  /** The last evaluation, whatever it came to: since then nobody has looked. */
  readonly evaluatedAt?: number;
}

/** What one evaluation of the rule's query came to. */
export type EvaluationResult =
  | readonly AlertElement[]
  /** Unknown: the query failed, or (`noData`) nothing that it reads exists. `raised` alerts say so. */
  | { readonly failed: string; readonly raised?: readonly AlertElement[] }
  | { readonly noData: true; readonly raised?: readonly AlertElement[] };

export interface Evaluation {
  readonly at: number;
  readonly result: EvaluationResult;
  /** Since when alerts that are new here have been active, by key, where more is known than this state holds. */
  readonly activeSince?: ReadonlyMap<string, number>;
}

type AlertEvent =
  | { readonly kind: 'pending' | 'firing' | 'resolved' | 'cancelled'; readonly alert: Alert }
  | { readonly kind: 'failed'; readonly message: string };

export interface Step {
  readonly state: RuleState;
  readonly events: readonly AlertEvent[];
}

export const NEW_RULE_STATE: RuleState = { alerts: [] };

/** How long the end of an alert is remembered and sent again, as Prometheus does. */
export const RESOLVED_RETENTION_MS = 15 * 60_000;

/**
 * Folds one evaluation into the rule's state. An unknown result resolves nothing and starts nothing but the alerts it
 * raises. Equal label sets after relabelling, or more alerts than the limit, fail the rule.
 */
export function step(rule: AlertRule, state: RuleState, evaluation: Evaluation): Step {
  return judge(rule, { ...state, evaluatedAt: evaluation.at }, evaluation);
}

function judge(rule: AlertRule, state: RuleState, evaluation: Evaluation): Step {
  const { result } = evaluation;
  const isUnknown = 'failed' in result || 'noData' in result;
  const seen = factsByKey(isUnknown ? (result.raised ?? []) : result, evaluation);
  if (typeof seen === 'string') return { state, events: [{ kind: 'failed', message: seen }] };
  const next = limited(rule, fold(rule, state, { at: evaluation.at, seen, isUnknown }));
  if (!('failed' in result)) return next;
  return { ...next, events: [...next.events, { kind: 'failed', message: result.failed }] };
}

/** What was seen, by identity; the reason why the rule fails when two alerts would share one. */
function factsByKey(
  elements: readonly AlertElement[],
  { at, result, activeSince }: Evaluation,
): ReadonlyMap<string, AlertFacts> | string {
  const seen = new Map<string, AlertFacts>();
  const raised = Array.isArray(result) ? {} : { raisedAt: at };
  for (const { labels, annotations, value } of elements) {
    const key = labelKey(labels);
    // Prometheus fails the whole rule here, in these words, and leaves its state alone.
    if (seen.has(key)) {
      return `vector contains metrics with the same labelset after applying alert labels: ${showLabels(labels)}`;
    }
    seen.set(key, { key, labels, annotations, value, activeAt: activeSince?.get(key) ?? at, ...raised });
  }
  return seen;
}

/** Prometheus forgets every alert of a rule that breaks its limit; they end at the Alertmanager when they expire. */
function limited(rule: AlertRule, next: Step): Step {
  if (rule.limit <= 0) return next;
  const active = next.state.alerts.filter((alert) => alert.state !== 'inactive').length;
  if (active <= rule.limit) return next;
  const message = `exceeded limit of ${rule.limit} with ${active} alerts`;
  return { state: { ...next.state, alerts: [] }, events: [{ kind: 'failed', message }] };
}

interface Observation {
  readonly at: number;
  readonly seen: ReadonlyMap<string, AlertFacts>;
  /** What was not seen may be there all the same. */
  readonly isUnknown: boolean;
}

function fold(rule: AlertRule, state: RuleState, { at, seen, isUnknown }: Observation): Step {
  if (isUnknown && seen.size === 0) return { state, events: [] };
  const alerts: Alert[] = [];
  const events: AlertEvent[] = [];
  const known = new Set<string>();
  for (const alert of state.alerts) {
    const facts = seen.get(alert.key);
    // What was over and is seen again is a new alert.
    if (alert.state === 'inactive' && facts !== undefined) continue;
    known.add(alert.key);
    if (facts !== undefined) record(alert, present(rule, alert, facts, at), alerts, events);
    else record(alert, isUnknown ? alert : absent(rule, alert, at), alerts, events);
  }
  for (const facts of seen.values()) {
    if (!known.has(facts.key)) record(undefined, ripen(rule, { ...facts, state: 'pending' }, at), alerts, events);
  }
  return { state: { ...state, alerts, ...(isUnknown ? {} : { confirmedAt: at }) }, events };
}

function record(before: Alert | undefined, after: Alert | undefined, alerts: Alert[], events: AlertEvent[]): void {
  if (after !== undefined) alerts.push(after);
  if (after !== undefined && after.state !== before?.state) events.push({ kind: eventKind(after), alert: after });
  if (after === undefined && before?.state === 'pending') events.push({ kind: 'cancelled', alert: before });
}

function eventKind(alert: Alert): 'pending' | 'firing' | 'resolved' {
  return alert.state === 'inactive' ? 'resolved' : alert.state;
}

/** Value and annotations are new at every evaluation; the times of the alert are its own. */
function present(rule: AlertRule, alert: Alert, facts: AlertFacts, at: number): Alert {
  if (alert.state === 'inactive') return alert;
  const renewed = renew(alert, facts);
  return renewed.state === 'pending' ? ripen(rule, renewed, at) : unripen(rule, renewed, at);
}

/** The alert itself when nothing is new, so that whoever saves it sees that there is nothing to save. */
function renew(alert: PendingAlert | FiringAlert, facts: AlertFacts): PendingAlert | FiringAlert {
  const { value, annotations, raisedAt = alert.raisedAt } = facts;
  const isSame =
    Object.is(alert.value, value) && raisedAt === alert.raisedAt && haveSameTexts(alert.annotations, annotations);
  const news = { value, annotations, ...(raisedAt === undefined ? {} : { raisedAt }) };
  if (alert.state === 'pending') return isSame ? alert : { ...alert, ...news };
  if (isSame && alert.missingSince === undefined) return alert;
  const { missingSince: _, ...firing } = alert;
  return { ...firing, ...news };
}

function haveSameTexts(a: LabelSet, b: LabelSet): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function ripen(rule: AlertRule, alert: PendingAlert, at: number): Alert {
  return at - alert.activeAt >= rule.forMs ? { ...alert, state: 'firing', firedAt: at } : alert;
}

/** A reload that raises `for` makes an alert that is too young for it wait again, and nothing is sent until it fires anew. */
function unripen(rule: AlertRule, alert: FiringAlert, at: number): Alert {
  if (at - alert.activeAt >= rule.forMs) return alert;
  const { firedAt: _, lastSentAt: _sent, missingSince: _missing, ...facts } = alert;
  return { ...facts, state: 'pending' };
}

/** What becomes of an alert that the query no longer returns; undefined when it can be forgotten. */
function absent(rule: AlertRule, alert: Alert, at: number): Alert | undefined {
  if (alert.state === 'pending') return undefined;
  if (alert.state === 'inactive') return at - alert.resolvedAt <= RESOLVED_RETENTION_MS ? alert : undefined;
  const { missingSince = at, ...firing } = alert;
  if (at - missingSince < rule.keepFiringForMs) return unripen(rule, { ...firing, missingSince }, at);
  return { ...firing, state: 'inactive', resolvedAt: at };
}

/**
 * Labels of an alert: the element's without its name, then the rule's (already expanded), then alertname; a label without
 * a value is no label.
 */
export function alertLabels(rule: AlertRule, element: LabelSet, own: LabelSet): LabelSet {
  const { __name__: _, ...inherited } = element;
  const merged = { ...inherited, ...own, alertname: rule.name };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
}

/** The identity of a label set: the same whatever order the labels come in. */
export function labelKey(labels: LabelSet): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A label set as PromQL writes it, in the order in which the labels come: `{gpu="3", node="a"}`. */
export function showLabels(labels: LabelSet): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}
