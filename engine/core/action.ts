/** What a firing alert asks of a scheduler: the label `action` of its rule. */

/** From mildest to strictest. */
export const ACTIONS = ['notify', 'throttle', 'preempt', 'quarantine'] as const;

export type Action = (typeof ACTIONS)[number];

/** Label of an alert rule that names the action. */
export const ACTION_LABEL = 'action';

/** A firing alert with the label `action`, about a GPU or a whole node. */
export interface FiringAction {
  readonly action: Action;
  /** Name of the alert. */
  readonly alert: string;
  /** Undefined when the alert is about the node as a whole. */
  readonly gpu: string | undefined;
  readonly node: string | undefined;
  /** Whether the fleet has that GPU or node. An alert about neither is shown and counted, and changes nothing. */
  readonly isKnown: boolean;
  readonly severity: string;
  /** Empty where only Prometheus' ALERTS series tells of the alert: it carries no annotations. */
  readonly summary: string;
  /** Since when it fires, milliseconds; from Prometheus, the first tick at which it was seen firing. */
  readonly sinceMs: number;
}

/** A firing alert as whoever evaluates it shows it. */
export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly sinceMs: number;
}

/** Place in the order from mildest to strictest; -1 where there is no action. */
export function rankOf(action: Action | undefined): number {
  return action === undefined ? -1 : ACTIONS.indexOf(action);
}

/** Whether a GPU under this action may get no new work. */
export function isBlocking(action: Action | undefined): action is 'preempt' | 'quarantine' {
  return action === 'preempt' || action === 'quarantine';
}

/** The action that an alert's labels name; undefined where there is none that the engine knows. */
export function actionOf({ labels }: Pick<FiringAlert, 'labels'>): Action | undefined {
  return ACTIONS.find((action) => action === labels[ACTION_LABEL]);
}

/** Equal keys are one alert, seen by Prometheus and by the engine, or under two label sets. */
export function actionKey({ action, alert, gpu, node }: FiringAction): string {
  return JSON.stringify([action, alert, gpu, node]);
}

/** Each alert once, since the earliest that anybody has seen it, with the summary that anybody knows. */
export function mergeActions(actions: readonly FiringAction[]): readonly FiringAction[] {
  const merged = new Map<string, FiringAction>();
  for (const action of actions) {
    const key = actionKey(action);
    const other = merged.get(key);
    merged.set(key, other === undefined ? action : mergeTwo(other, action));
  }
  return [...merged.values()];
}

/** The order of the two never decides. */
function mergeTwo(a: FiringAction, b: FiringAction): FiringAction {
  const [first, second] = a.severity <= b.severity ? [a, b] : [b, a];
  const summary = [a.summary, b.summary].sort().find((text) => text !== '') ?? '';
  return { ...first, severity: first.severity || second.severity, summary, sinceMs: Math.min(a.sinceMs, b.sinceMs) };
}
