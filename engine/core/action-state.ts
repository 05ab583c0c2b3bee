/** Which actions are known: from Prometheus' history at every tick, and from the engine's own rules in between. */
import { actionKey, actionOf, type FiringAction, type FiringAlert, mergeActions } from './action.ts';
import { type ActionBook, bookActions, governing, NO_ACTIONS } from './action-book.ts';
import { type Directory, directoryOf } from './action-target.ts';
import type { FleetState, GpuRecord, Judged } from './fleet.ts';
import type { AlertSighting, Observation } from './observation.ts';
import type { Plan } from './plan.ts';
import { DOWN, type Verdict } from './presence.ts';
import { TICK } from './tick.ts';

/** The actions of one tick. An alert that fired at the tick before goes on since then. */
export function stepActions(
  { policy }: Plan,
  { gpus, actions: before }: Pick<FleetState, 'gpus' | 'actions'>,
  { atMs, actions = [] }: Observation,
): ActionBook {
  const fresh = actions.filter(({ sampledAtMs }) => atMs - sampledAtMs <= policy.actions.freshMs);
  if (fresh.length === 0) return NO_ACTIONS;
  const directory = directoryOf(policy, gpus);
  const since = new Map(before.all.map((action) => [actionKey(action), action.sinceMs]));
  const firing = fresh.flatMap((sighting) => place(directory, alertAt(sighting, atMs)));
  const continued = firing.map((action) => ({ ...action, sinceMs: since.get(actionKey(action)) ?? atMs }));
  return bookActions(policy, mergeActions(continued), directory.nodes.size);
}

/** The actions of the newest tick together with alerts that fire now; those of the tick stay until the next one. */
export function withLiveAlerts({ plan, state }: Judged, live: readonly FiringAlert[]): ActionBook {
  if (live.length === 0) return state.actions;
  const directory = directoryOf(plan.policy, state.gpus);
  const firing = live.flatMap((alert) => place(directory, alert));
  return bookActions(plan.policy, mergeActions([...state.actions.all, ...firing]), directory.nodes.size);
}

/**
 * What a quarantine makes of a GPU's tick; undefined where none is in effect. Nobody pays for time that was not
 * observed or was planned, so such a tick stays what it is.
 */
export function quarantineVerdict(book: ActionBook, gpu: GpuRecord, verdict: Verdict | undefined): Verdict | undefined {
  if (verdict?.state === TICK.unobserved || verdict?.state === TICK.maintenance) return undefined;
  const quarantine = governing(book, gpu);
  return quarantine?.action === 'quarantine' ? { ...DOWN, quarantine } : undefined;
}

/** A checkpoint keeps actions and the state of each GPU; together they say which alert keeps a GPU down. */
export function restoreQuarantines({ gpus, actions }: Pick<FleetState, 'gpus' | 'actions'>): void {
  if (actions.all.length === 0) return;
  for (const record of gpus.values()) {
    for (const track of record.tracks)
      track.verdict = quarantineVerdict(actions, record, track.verdict) ?? track.verdict;
  }
}

function alertAt({ labels }: AlertSighting, atMs: number): FiringAlert {
  return { labels, summary: '', sinceMs: atMs };
}

function place(directory: Directory, alert: FiringAlert): readonly FiringAction[] {
  const action = actionOf(alert);
  if (action === undefined) return [];
  const { labels, summary, sinceMs } = alert;
  const { alertname = '', severity = '' } = labels;
  return [{ action, alert: alertname, ...directory.targetOf(labels), severity, summary, sinceMs }];
}
