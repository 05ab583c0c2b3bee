/** Alerts with an action, and fleets that see them at their ticks. */
import type { Action, FiringAlert } from '../../../engine/core/action.ts';
import { createFleet, type FleetState, stepFleet } from '../../../engine/core/fleet.ts';
import type { Plan } from '../../../engine/core/plan.ts';
import { observe, type Played, SECOND, START_MS, type TickShown } from './fixtures.ts';

/** Labels of an alert about a GPU (`a/0`) or a node (`a`). */
export function alertLabels(action: Action, about: string, alertname = NAMES[action]): Record<string, string> {
  const target: Record<string, string> = about.includes('/') ? { UUID: about } : { instance: about };
  return { alertname, action, severity: SEVERITIES[action], ...target };
}

const NAMES = {
  notify: 'GpuThermalWarning',
  throttle: 'GpuThermalCritical',
  preempt: 'GpuPowerCritical',
  quarantine: 'GpuEccUncorrectable',
};
const SEVERITIES = { notify: 'warning', throttle: 'critical', preempt: 'critical', quarantine: 'critical' };

/** An alert as the engine's own rules fire it. */
export function fired(action: Action, about: string, sinceMs: number): FiringAlert {
  return { labels: alertLabels(action, about), summary: `${NAMES[action]} on ${about}`, sinceMs };
}

export interface FiringTick extends TickShown {
  readonly actions: readonly (readonly [Action, string])[];
  /** Age of the samples of ALERTS. */
  readonly ageMs?: number;
}

/** Steps a fleet through ticks at which Prometheus shows those alerts firing. */
export function playFiring(plan: Plan, ticks: readonly FiringTick[], state: FleetState = createFleet()): Played {
  for (const { actions, ageMs = SECOND, ...tick } of ticks) {
    const atMs = state.tickMs === undefined ? START_MS : state.tickMs + plan.policy.intervalMs;
    const sightings = actions.map(([action, about]) => ({
      labels: alertLabels(action, about),
      sampledAtMs: atMs - ageMs,
    }));
    stepFleet(plan, state, { ...observe(plan, atMs, tick), actions: sightings });
  }
  return { plan, state };
}

export function firingTimes(
  count: number,
  gpus: TickShown['gpus'],
  actions: FiringTick['actions'] = [],
  isWatched = true,
): readonly FiringTick[] {
  return Array.from({ length: count }, () => ({ isWatched, gpus, actions }));
}
