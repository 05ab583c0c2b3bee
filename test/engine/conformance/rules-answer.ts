/** What /api/v1/rules of a Prometheus, or of the engine, says. */

type Texts = Readonly<Record<string, string>>;

interface AlertAnswer {
  readonly labels: Texts;
  readonly annotations: Texts;
  readonly state: string;
  readonly value: string;
  readonly activeAt: string;
  readonly keepFiringSince?: string;
}

interface RuleAnswer {
  readonly type: string;
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly labels?: Texts;
  readonly annotations?: Texts;
  readonly duration?: number;
  readonly keepFiringFor?: number;
  readonly state?: string;
  readonly alerts?: readonly AlertAnswer[];
}

interface GroupAnswer {
  readonly name: string;
  readonly interval: number;
  readonly limit: number;
  readonly rules: readonly RuleAnswer[];
}

export async function groupsAt(url: string): Promise<readonly GroupAnswer[]> {
  const body = (await (await fetch(`${url}/api/v1/rules`)).json()) as { data: { groups: GroupAnswer[] } };
  // Prometheus sorts groups by name, the engine leaves them as the file has them.
  return body.data.groups.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** All that does not depend on when exactly something was evaluated. */
export function timeless(groups: readonly GroupAnswer[]): unknown {
  return groups.map(({ name, interval, limit, rules }) => ({ name, interval, limit, rules: rules.map(timelessRule) }));
}

function timelessRule(rule: RuleAnswer): unknown {
  const { type, name, query, health, labels = {}, annotations, duration, keepFiringFor, state } = rule;
  const alerts = inOrder(rule).map((alert) => [alert.labels, alert.annotations, alert.state, alert.value]);
  return { type, name, query, health, labels, annotations, duration, keepFiringFor, state, alerts };
}

/** `Name gpu state` of every alert but the one that always fires. */
export function shownAlerts(groups: readonly GroupAnswer[]): readonly string[] {
  const alerts = groups.flatMap(({ rules }) => rules.flatMap(inOrder));
  return alerts
    .filter(({ labels }) => labels.alertname !== 'Watchdog')
    .map(({ labels, state }) => `${labels.alertname} ${labels.gpu ?? '-'} ${state}`)
    .sort();
}

export function failingRules(groups: readonly GroupAnswer[]): readonly string[] {
  const rules = groups.flatMap((group) => group.rules);
  return rules.flatMap(({ health, name }) => (health === 'err' ? name : [])).sort();
}

/** Instants at which alerts began, and since when they are only kept, milliseconds since the epoch. */
export function beginnings(groups: readonly GroupAnswer[]): readonly number[] {
  const alerts = groups.flatMap(({ rules }) => rules.flatMap(inOrder));
  return alerts.flatMap(({ activeAt, keepFiringSince }) => [activeAt, keepFiringSince ?? activeAt].map(Date.parse));
}

function inOrder({ alerts = [] }: RuleAnswer): readonly AlertAnswer[] {
  const textOf = ({ labels }: AlertAnswer) => JSON.stringify(Object.entries(labels).sort());
  return alerts.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}
