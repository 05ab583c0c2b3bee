/** GPUd's /v1/states, from one reading. */

import type { ReadFailure, Snapshot } from '../snapshot.ts';
import { type ComponentHealthStates, type HealthState, timeText } from './api.ts';
import { faultComponents } from './faults.ts';
import type { Component, GpudReading, Verdict } from './reading.ts';
import { sensorComponents } from './sensors.ts';
import { xidComponent } from './xid-state.ts';

const components: readonly Component[] = [...sensorComponents, ...faultComponents, xidComponent].toSorted((a, b) =>
  a.name < b.name ? -1 : 1,
);

/** Every component there is, in order. */
export const componentNames: readonly string[] = components.map(({ name }) => name);

/** The states of the named components, in order of their names; those that these GPUs do not support are left out. */
export function states(reading: GpudReading, names: readonly string[], atMs: number): readonly ComponentHealthStates[] {
  return components
    .filter((component) => names.includes(component.name) && isListed(component, reading))
    .map((component) => ({ component: component.name, states: [stateOf(component, reading, atMs)] }));
}

/** The components that these GPUs support, in order. */
export function listedNames(reading: GpudReading): readonly string[] {
  return components.filter((component) => isListed(component, reading)).map(({ name }) => name);
}

// Before the first reading, and while no GPU can be read, nobody knows what is supported.
function isListed({ isSupported }: Component, { snapshot }: GpudReading): boolean {
  if (snapshot === undefined) return true;
  const isSilent = snapshot.gpus.length === 0 && snapshot.health.failures.length > 0;
  return isSilent || isSupported(snapshot);
}

function stateOf(component: Component, reading: GpudReading, atMs: number): HealthState {
  const { health, reason, error, action, data } = verdictOf(component, reading, atMs);
  return {
    time: timeText(reading.snapshot?.takenAtMs ?? atMs),
    component: component.name,
    name: component.stateName ?? component.name,
    health,
    reason,
    ...(error === undefined ? {} : { error }),
    ...(action === undefined ? {} : { suggested_actions: { description: reason, repair_actions: [action] } }),
    ...(data === undefined ? {} : { extra_info: { data: JSON.stringify(data) } }),
  };
}

function verdictOf(component: Component, reading: GpudReading, atMs: number): Verdict {
  const { snapshot, failure } = reading;
  if (failure !== undefined) return { health: 'Unhealthy', reason: 'the GPUs cannot be read', error: failure.message };
  if (snapshot === undefined) return { health: 'Initializing', reason: 'nothing has been read yet' };
  const verdict = component.judge(snapshot, reading, atMs);
  return component.isAboutEvents ? verdict : afterFailures(verdict, snapshot);
}

/** A GPU that could not be read makes every component unhealthy that would have read it; the others' data stays. */
function afterFailures(verdict: Verdict, { health: { failures } }: Snapshot): Verdict {
  const worst = failures.find(isRebootCase) ?? failures[0];
  if (worst === undefined) return verdict;
  const reasons = verdict.health === 'Healthy' ? [failureReason(worst)] : [failureReason(worst), verdict.reason];
  return {
    health: 'Unhealthy',
    reason: reasons.join(', '),
    error: failures.map(({ message }) => message).join(', '),
    action: verdict.action === 'HARDWARE_INSPECTION' || !isRebootCase(worst) ? verdict.action : 'REBOOT_SYSTEM',
    data: verdict.data,
  };
}

function isRebootCase({ reason }: ReadFailure): boolean {
  return reason === 'gpu_is_lost' || reason === 'reset_required' || reason === 'wedged';
}

function failureReason({ reason, uuid }: ReadFailure): string {
  const which = uuid === undefined ? '' : `: ${uuid}`;
  if (reason === 'gpu_is_lost') return `GPU lost${which}`;
  return reason === 'reset_required' ? `GPU requires reset${which}` : `GPU cannot be read${which}`;
}
