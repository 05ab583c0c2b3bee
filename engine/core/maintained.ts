/** Which subjects planned maintenance covers as a whole, so that nothing is held against or in favour of them meanwhile. */
import type { FleetState, GpuRecord } from './fleet.ts';
import type { Plan, PlannedCapability } from './plan.ts';
import type { Subject } from './subject.ts';
import { TICK } from './tick.ts';

/** Whether every GPU with which a subject serves the capability was in maintenance at the latest tick. */
export type IsMaintained = (subject: Subject) => boolean;

const NONE: IsMaintained = () => false;

/** Asked for every subject at every tick, so the GPUs are walked once, and only while there is maintenance. */
export function maintainedSubjects(state: FleetState, capability: PlannedCapability): IsMaintained {
  if (state.tickMs === undefined || state.maintenance?.at(state.tickMs) === undefined) return NONE;
  const working = new Set<string>();
  for (const record of state.gpus.values()) {
    if (capability.serves(record) && !isInMaintenance(record, capability)) working.add(record.node);
  }
  return (subject) => {
    if (subject.level === 'fleet') return working.size === 0;
    if (subject.level === 'node') return !working.has(subject.id);
    const record = state.gpus.get(subject.id);
    return record !== undefined && isInMaintenance(record, capability);
  };
}

function isInMaintenance({ tracks }: GpuRecord, { profile }: PlannedCapability): boolean {
  return tracks[profile]?.verdict.state === TICK.maintenance;
}

/** Until when every one of the GPUs is in planned maintenance; undefined when one of them is not at `nowMs`. */
export function maintainedUntilMs(state: FleetState, gpus: readonly GpuRecord[], nowMs: number): number | undefined {
  const plannedFor = state.maintenance?.at(nowMs);
  if (plannedFor === undefined || gpus.length === 0) return undefined;
  let untilMs = Number.POSITIVE_INFINITY;
  for (const gpu of gpus) {
    const planned = plannedFor(gpu);
    if (planned?.kind !== 'excluded') return undefined;
    untilMs = Math.min(untilMs, planned.untilMs);
  }
  return untilMs;
}

/** Ticks of the running maintenance that each GPU has still to come, by index; empty while there is none. */
export function maintenanceLeft({ policy }: Plan, state: FleetState, gpus: readonly GpuRecord[]): readonly number[] {
  const nextMs = (state.tickMs ?? 0) + policy.intervalMs;
  const plannedFor = state.maintenance?.at(nextMs);
  if (plannedFor === undefined) return [];
  return gpus.map((gpu) => {
    const planned = plannedFor(gpu);
    return planned?.kind === 'excluded' ? (planned.untilMs - nextMs) / policy.intervalMs : 0;
  });
}
