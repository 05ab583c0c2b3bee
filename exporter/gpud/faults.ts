/** Components that judge: ECC errors, remapped rows, hardware slowdown, NVLink, fabric, and how many GPUs there are. */

import { fabricCompleted } from '../fabric-state.ts';
import type { GpuPresence } from '../presence.ts';
import type { GpuSample, NvlinkReadings, Snapshot } from '../snapshot.ts';
import { timeText } from './api.ts';
import { type Component, entryOf, type GpudReading, healthyUnless, someGives, type Verdict } from './reading.ts';
import { causesIn, slowMinutes } from './slowdown.ts';

export const faultComponents: readonly Component[] = [
  { name: 'accelerator-nvidia-ecc', isSupported: someGives('eccMode', 'eccDbeVolatile'), judge: judgeEcc },
  { name: 'accelerator-nvidia-fabric-manager', isSupported: hasFabric, judge: judgeFabric },
  { name: 'accelerator-nvidia-gpu-counts', isAboutEvents: true, isSupported: () => true, judge: judgeCount },
  { name: 'accelerator-nvidia-hw-slowdown', isSupported: someGives('clocksEventReasons'), judge: judgeSlowdown },
  { name: 'accelerator-nvidia-nvlink', isSupported: someGives('nvlinks'), judge: judgeNvlink },
  {
    name: 'accelerator-nvidia-remapped-rows',
    isSupported: someGives('rowRemapPending', 'rowRemapFailure'),
    judge: judgeRemappedRows,
  },
];

function judgeEcc({ gpus }: Snapshot): Verdict {
  const issues = gpus
    .filter(({ eccDbeVolatile }) => (eccDbeVolatile ?? 0) > 0)
    .map(
      ({ uuid, eccDbeVolatile }) =>
        `${uuid} has had ${eccDbeVolatile} uncorrectable memory errors since the driver was loaded`,
    );
  const data = { ecc_modes: gpus.map(eccMode), ecc_errors: gpus.map(eccErrors) };
  return healthyUnless(issues, { health: 'Degraded' }, { reason: 'no uncorrectable memory error was found', data });
}

function eccMode(gpu: GpuSample) {
  return { ...entryOf(gpu), enabled_current: gpu.eccMode === 1, supported: gpu.eccMode !== undefined };
}

function eccErrors(gpu: GpuSample) {
  return {
    ...entryOf(gpu),
    aggregate: { total: { corrected: gpu.eccSbeAggregate, uncorrected: gpu.eccDbeAggregate } },
    volatile: { total: { corrected: gpu.eccSbeVolatile, uncorrected: gpu.eccDbeVolatile } },
    supported: gpu.eccDbeVolatile !== undefined,
  };
}

// A pending remapping waits for a reset and harms nobody until then; a failed one is a reason to return the card.
function judgeRemappedRows({ gpus }: Snapshot): Verdict {
  const failed = gpus.filter(({ rowRemapFailure }) => rowRemapFailure === 1);
  const pending = gpus.filter(({ rowRemapPending }) => rowRemapPending === 1);
  const issues = [
    ...failed.map(({ uuid }) => `${uuid} could not remap a broken row: have the card replaced`),
    ...pending.map(({ uuid }) => `${uuid} waits for a reset to remap a row`),
  ];
  const action = failed.length > 0 ? 'HARDWARE_INSPECTION' : 'REBOOT_SYSTEM';
  const data = {
    product_name: gpus[0]?.modelName,
    memory_error_management_capabilities: { row_remapping: true },
    remapped_rows: gpus.map(remappedRows),
  };
  return healthyUnless(issues, { health: 'Unhealthy', action }, { reason: 'no row waits to be remapped', data });
}

function remappedRows(gpu: GpuSample) {
  return {
    ...entryOf(gpu),
    remapped_due_to_correctable_errors: gpu.correctableRemappedRows,
    remapped_due_to_uncorrectable_errors: gpu.uncorrectableRemappedRows,
    remapping_pending: gpu.rowRemapPending === 1,
    remapping_failed: gpu.rowRemapFailure === 1,
    supported: gpu.rowRemapPending !== undefined,
  };
}

const slowdownWindowMinutes = 10;
const slowMinutesThatMatter = 6;

// One slow minute is a spike; GPUd calls it a fault when six of the last ten minutes were slow.
function judgeSlowdown({ gpus, takenAtMs }: Snapshot, { slowdowns }: GpudReading, atMs: number): Verdict {
  const minutes = slowMinutes(slowdowns, atMs, slowdownWindowMinutes * 60_000);
  const reason = `the hardware slowed a GPU down in ${minutes} of the last ${slowdownWindowMinutes} minutes`;
  const issues = minutes >= slowMinutesThatMatter ? [reason] : [];
  const data = { clock_events: gpus.map((gpu) => clockEvents(gpu, takenAtMs)) };
  const trouble = { health: 'Unhealthy', action: 'HARDWARE_INSPECTION' } as const;
  return healthyUnless(issues, trouble, { reason, data });
}

function clockEvents(gpu: GpuSample, takenAtMs: number) {
  const causes = causesIn(gpu.clocksEventReasons);
  return {
    time: timeText(takenAtMs),
    ...entryOf(gpu),
    reasons_bitmask: gpu.clocksEventReasons,
    hw_slowdown_reasons: causes.length === 0 ? undefined : causes,
    hw_slowdown: causes.includes('hw_slowdown'),
    hw_thermal_slowdown: causes.includes('hw_thermal_slowdown'),
    hw_slowdown_power_brake: causes.includes('hw_power_brake'),
    supported: gpu.clocksEventReasons !== undefined,
  };
}

// Some links of a healthy GPU may be off by design, so only a machine on which no GPU has all its links on is at fault.
function judgeNvlink({ gpus }: Snapshot): Verdict {
  const linked = gpus.filter(({ nvlinks = [] }) => nvlinks.length > 0);
  const active = linked.filter(({ nvlinks = [] }) => nvlinks.every(({ isActive }) => isActive));
  const isDown = linked.length > 1 && active.length === 0;
  const issues = isDown ? [`none of the ${linked.length} GPUs with NVLink has all its links on`] : [];
  const data = {
    nvlinks: gpus.map(nvlink),
    active_nvlink_uuids: uuidsOf(active),
    inactive_nvlink_uuids: uuidsOf(linked.filter((gpu) => !active.includes(gpu))),
    unsupported_nvlink_uuids: uuidsOf(gpus.filter((gpu) => !linked.includes(gpu))),
  };
  const trouble = { health: 'Unhealthy', action: 'REBOOT_SYSTEM' } as const;
  return healthyUnless(issues, trouble, { reason: `${active.length} GPUs have all their links on`, data });
}

function uuidsOf(gpus: readonly GpuSample[]): readonly string[] | undefined {
  return gpus.length === 0 ? undefined : gpus.map(({ uuid }) => uuid).toSorted();
}

function nvlink(gpu: GpuSample) {
  const { nvlinks = [] } = gpu;
  return { ...entryOf(gpu), states: nvlinks.map(linkState), supported: nvlinks.length > 0 };
}

function linkState(link: NvlinkReadings) {
  const { crcFlitErrors, crcDataErrors } = link;
  const knowsCrc = crcFlitErrors !== undefined || crcDataErrors !== undefined;
  return {
    link: link.link,
    feature_enabled: link.isActive,
    replay_errors: link.replayErrors,
    recovery_errors: link.recoveryErrors,
    crc_errors: knowsCrc ? (crcFlitErrors ?? 0) + (crcDataErrors ?? 0) : undefined,
  };
}

const fabricStates = ['Not Supported', 'Not Started', 'In Progress', 'Completed'] as const;

function hasFabric({ gpus }: Snapshot): boolean {
  return gpus.some(({ fabricState }) => fabricState !== undefined && fabricState > 0);
}

function judgeFabric({ gpus }: Snapshot): Verdict {
  const joining = gpus.filter(({ fabricState }) => fabricState !== undefined && fabricState > 0);
  const issues = joining.flatMap(fabricIssues);
  const entries = joining.map(({ uuid, fabricState, fabricStatus }) => ({
    gpu_uuid: uuid,
    state: fabricText(fabricState),
    status: fabricStatus === undefined ? undefined : statusText(fabricStatus),
  }));
  const data = { fabric_state_supported: true, fabric_states: entries };
  return healthyUnless(
    issues,
    { health: 'Unhealthy' },
    { reason: `${joining.length} GPUs have joined the fabric`, data },
  );
}

function fabricIssues({ uuid, fabricState, fabricStatus }: GpuSample): readonly string[] {
  if (fabricState !== fabricCompleted) return [`${uuid} has not joined the fabric: ${fabricText(fabricState)}`];
  return fabricStatus === undefined || fabricStatus === 0
    ? []
    : [`${uuid} failed to join the fabric: ${statusText(fabricStatus)}`];
}

function fabricText(state: number | undefined): string {
  return fabricStates[state ?? 0] ?? `Unknown(${state})`;
}

function statusText(status: number): string {
  return status === 0 ? 'Success' : `NVML error ${status}`;
}

const reloadsBeforeRepair = 2;

// Every GPU that was ever seen is expected. Driver loads stand for reboots: a GPU that stays away after two of them is broken.
function judgeCount(_snapshot: Snapshot, { presence }: GpudReading): Verdict {
  const known = Object.values(presence.gpus);
  const gone = known.filter(({ state }) => state === 'unavailable');
  const found = known.length - gone.length;
  const names = gone.map(({ identity, reason }) => `${identity.uuid} (${reason})`).join(', ');
  const issues = gone.length === 0 ? [] : [`${found} of ${known.length} GPUs answer; missing: ${names}`];
  const isBroken = gone.some((gpu) => reloadsSinceLoss(gpu, presence.events) >= reloadsBeforeRepair);
  const action = isBroken ? 'HARDWARE_INSPECTION' : 'REBOOT_SYSTEM';
  return healthyUnless(issues, { health: 'Unhealthy', action }, { reason: `${found} of ${known.length} GPUs answer` });
}

function reloadsSinceLoss({ identity, lastSeenMs }: GpuPresence, events: GpudReading['presence']['events']): number {
  const loss = events.findLast((event) => event.kind === 'lost' && event.uuid === identity.uuid);
  const sinceMs = loss?.atMs ?? lastSeenMs;
  return events.filter(({ kind, atMs }) => kind === 'counters-restarted' && atMs > sinceMs).length;
}
