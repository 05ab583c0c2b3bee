/** The state of the XID component: a fold over XIDs and driver loads, in which a reboot clears what a reboot can cure. */

import type { PresenceEvent } from '../presence.ts';
import type { Snapshot } from '../snapshot.ts';
import type { EventType, HealthLevel, RepairAction } from './api.ts';
import { type Component, type GpudReading, shortBusId, type Verdict } from './reading.ts';
import { lookbackMs } from './slowdown.ts';
import { xidSeverity } from './xid-severity.ts';

export const xidComponent: Component = {
  name: 'accelerator-nvidia-error-xid',
  stateName: 'error_xid',
  isAboutEvents: true,
  isSupported: () => true,
  judge: judgeXids,
};

type XidEvent = Extract<PresenceEvent, { kind: 'xid' }>;

interface Standing {
  readonly worst: XidEvent | undefined;
  readonly action: RepairAction | undefined;
  /** Driver loads since each code was first seen to ask for a reboot. */
  readonly loads: ReadonlyMap<number, number>;
}

// Warnings are told, not held against the machine: most of them are mistakes of the application.
const healthOf: Readonly<Record<EventType, HealthLevel>> = {
  Unknown: 'Healthy',
  Info: 'Healthy',
  Warning: 'Healthy',
  Critical: 'Degraded',
  Fatal: 'Unhealthy',
};
const ranks: readonly HealthLevel[] = ['Healthy', 'Degraded', 'Unhealthy'];

const loadsBeforeRepair = 2;
// A contained error: NVIDIA asks for a restart of the application, however often it happens.
const neverRepaired = 94;

/** The worst XID that no reboot has cured, of the last three days. */
function judgeXids(snapshot: Snapshot, reading: GpudReading, atMs: number): Verdict {
  const start: Standing = { worst: undefined, action: undefined, loads: new Map() };
  const { worst, action } = relevantEvents(snapshot, reading, atMs).reduce(afterEvent, start);
  if (worst === undefined) return { health: 'Healthy', reason: 'no XID was reported' };
  return { health: rankOf(worst), reason: xidMessage(worst, reading), action };
}

function relevantEvents(snapshot: Snapshot, { presence }: GpudReading, atMs: number): readonly PresenceEvent[] {
  const isCounted = isCountedHere(snapshot);
  const relevant = presence.events.filter((event) => event.kind !== 'xid' || isCounted(event));
  return relevant.filter((event) => atMs - event.atMs < lookbackMs).toSorted((a, b) => a.atMs - b.atMs);
}

// Row remapping says more about these two, where the card has it: a reset may settle them.
function isCountedHere({ gpus }: Snapshot): (event: XidEvent) => boolean {
  const canRemapRows = gpus.some(({ rowRemapPending }) => rowRemapPending !== undefined);
  return ({ code }) => !(canRemapRows && (code === 63 || code === 64));
}

function afterEvent(standing: Standing, event: PresenceEvent): Standing {
  if (event.kind === 'counters-restarted') return afterLoad(standing);
  return event.kind === 'xid' ? afterXid(standing, event) : standing;
}

function afterXid(standing: Standing, xid: XidEvent): Standing {
  const { worst, loads } = standing;
  if (worst !== undefined && ranks.indexOf(rankOf(xid)) < ranks.indexOf(rankOf(worst))) return standing;
  const [action] = xidSeverity(xid.code).actions;
  if (action !== 'REBOOT_SYSTEM') return { ...standing, worst: xid, action };
  const isRepair = xid.code !== neverRepaired && (loads.get(xid.code) ?? 0) >= loadsBeforeRepair;
  const counted = loads.has(xid.code) ? loads : new Map([...loads, [xid.code, 0]]);
  return { worst: xid, action: isRepair ? 'HARDWARE_INSPECTION' : action, loads: counted };
}

// The driver is loaded anew by a reboot, and by little else that matters here.
function afterLoad({ worst, action, loads }: Standing): Standing {
  const counted = new Map([...loads].map(([code, count]) => [code, count + 1]));
  const isCured = action === 'REBOOT_SYSTEM' || action === 'CHECK_USER_APP_AND_GPU';
  return isCured ? { worst: undefined, action: undefined, loads: counted } : { worst, action, loads: counted };
}

function rankOf({ code }: XidEvent): HealthLevel {
  return healthOf[xidSeverity(code).type];
}

/** One XID for people: what it is and which GPU reported it. */
export function xidMessage({ code, uuid }: XidEvent, { presence, xidText }: GpudReading): string {
  const identity = uuid === undefined ? undefined : presence.gpus[uuid]?.identity;
  const where = identity === undefined ? (uuid ?? 'an unknown GPU') : `${uuid} at ${shortBusId(identity.pciBusId)}`;
  return `XID ${code} (${xidText(code)}) on ${where}`;
}
