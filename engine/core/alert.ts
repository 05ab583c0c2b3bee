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
}

export interface Evaluation {
  readonly at: number;
  readonly result: readonly AlertElement[] | { readonly failed: string };
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
 * Folds one evaluation into the rule's state. A failed query is unknown: nothing starts, nothing resolves. Equal label
 * sets after relabelling, or more alerts than the limit, fail the rule.
 */
export function step(rule: AlertRule, state: RuleState, { at, result }: Evaluation): Step {
  if ('failed' in result) return failed(state, result.failed);
  const seen = new Map<string, AlertFacts>();
  for (const element of result) {
    const facts = { key: labelKey(element.labels), ...element, activeAt: at };
    // Prometheus fails the whole rule here and leaves its state alone: two alerts would share one identity.
    if (seen.has(facts.key)) return failed(state, `two results have the same labels ${showLabels(facts.labels)}`);
    seen.set(facts.key, facts);
  }
  return limited(rule, fold(rule, state, at, seen));
}

function failed(state: RuleState, message: string): Step {
  return { state, events: [{ kind: 'failed', message }] };
}

/** Prometheus forgets every alert of a rule that breaks its limit; they end at the Alertmanager when they expire. */
function limited(rule: AlertRule, next: Step): Step {
  const active = next.state.alerts.filter((alert) => alert.state !== 'inactive').length;
  if (rule.limit <= 0 || active <= rule.limit) return next;
  return failed({ ...next.state, alerts: [] }, `${active} alerts exceed the limit of ${rule.limit}`);
}

function fold(rule: AlertRule, state: RuleState, at: number, seen: ReadonlyMap<string, AlertFacts>): Step {
  const alerts: Alert[] = [];
  const events: AlertEvent[] = [];
  const fresh = new Map(seen);
  for (const alert of state.alerts) {
    const facts = fresh.get(alert.key);
    if (alert.state === 'inactive' && facts !== undefined) continue;
    fresh.delete(alert.key);
    record(alert, facts === undefined ? absent(rule, alert, at) : present(rule, alert, facts, at), alerts, events);
  }
  for (const facts of fresh.values()) {
    record(undefined, ripen(rule, { ...facts, state: 'pending' }, at), alerts, events);
  }
  return { state: { alerts, confirmedAt: at }, events };
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
function present(rule: AlertRule, alert: Alert, { value, annotations }: AlertFacts, at: number): Alert {
  if (alert.state === 'pending') return ripen(rule, { ...alert, value, annotations }, at);
  if (alert.state === 'inactive') return alert;
  const { missingSince: _, ...firing } = alert;
  return { ...firing, value, annotations };
}

function ripen(rule: AlertRule, alert: PendingAlert, at: number): Alert {
  return at - alert.activeAt >= rule.forMs ? { ...alert, state: 'firing', firedAt: at } : alert;
}

/** What becomes of an alert that the query no longer returns; undefined when it can be forgotten. */
function absent(rule: AlertRule, alert: Alert, at: number): Alert | undefined {
  if (alert.state === 'pending') return undefined;
  if (alert.state === 'inactive') return at - alert.resolvedAt < RESOLVED_RETENTION_MS ? alert : undefined;
  const { missingSince = at, ...firing } = alert;
  if (at - missingSince < rule.keepFiringForMs) return { ...firing, missingSince };
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

function showLabels(labels: LabelSet): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}
