/** Who is who: labels that do not change from one scrape to the next, each said once. */

import type { Presence } from '../../presence.ts';
import type { GpuIdentity, GpuSample, MigInstance, Snapshot } from '../../snapshot.ts';
import type { Family, Labels, Series } from '../exposition.ts';
import { plausible } from '../metric.ts';
import { type Definition, familyOf } from './definition.ts';

const maxMultiprocessors = 10_000;

const infoDefinition: Definition = {
  name: 'gpu_info',
  type: 'gauge',
  labels: [
    'uuid',
    'gpu',
    'pci_bus_id',
    'minor_number',
    'model_name',
    'brand',
    'serial',
    'vbios_version',
    'inforom_version',
    'driver_version',
    'nvml_version',
    'hostname',
  ],
  help: 'Always 1; the labels say which GPU this is, also while it is gone. Join on uuid.',
};

const migInfoDefinition: Definition = {
  name: 'gpu_mig_info',
  type: 'gauge',
  labels: ['uuid', 'mig_uuid', 'gpu_instance_id', 'compute_instance_id', 'profile'],
  help: 'Always 1; one series per MIG device. Join on uuid and gpu_instance_id.',
};

const migSizeDefinition: Definition = {
  name: 'gpu_mig_multiprocessors',
  type: 'gauge',
  labels: ['uuid', 'mig_uuid'],
  help: 'Streaming multiprocessors of a MIG device.',
};

export const infoDefinitions: readonly Definition[] = [infoDefinition, migInfoDefinition, migSizeDefinition];

interface InfoInput {
  readonly snapshot: Snapshot | undefined;
  readonly presence: Presence;
  readonly hostname: string;
}

export function infoFamilies({ snapshot, presence, hostname }: InfoInput): readonly Family[] {
  const gpus = snapshot?.gpus ?? [];
  const node = { driver_version: snapshot?.driverVersion, nvml_version: snapshot?.nvmlVersion, hostname };
  return [
    familyOf(
      infoDefinition,
      knownGpus(gpus, presence).map((gpu) => one({ ...identityLabels(gpu), ...node })),
    ),
    familyOf(
      migInfoDefinition,
      migDevices(gpus).map(({ uuid, device }) => one(migLabels(uuid, device))),
    ),
    familyOf(migSizeDefinition, migDevices(gpus).flatMap(sizeOf)),
  ];
}

// What a GPU says of itself now is fresher than what is remembered of it.
function knownGpus(gpus: readonly GpuSample[], presence: Presence): readonly GpuIdentity[] {
  const present = new Set(gpus.map(({ uuid }) => uuid));
  const remembered = Object.values(presence.gpus).map(({ identity }) => identity);
  return [...gpus, ...remembered.filter(({ uuid }) => !present.has(uuid))];
}

function identityLabels(gpu: GpuIdentity): Readonly<Record<string, string | undefined>> {
  return {
    uuid: gpu.uuid,
    gpu: String(gpu.index),
    pci_bus_id: gpu.pciBusId,
    minor_number: gpu.minorNumber?.toString(),
    model_name: gpu.modelName,
    brand: gpu.brand,
    serial: gpu.serial,
    vbios_version: gpu.vbiosVersion,
    inforom_version: gpu.inforomImageVersion,
  };
}

interface MigDevice {
  readonly uuid: string;
  readonly device: MigInstance;
}

function migDevices(gpus: readonly GpuSample[]): readonly MigDevice[] {
  return gpus.flatMap(({ uuid, migInstances = [] }) => migInstances.map((device) => ({ uuid, device })));
}

function migLabels(uuid: string, device: MigInstance): Labels {
  return {
    uuid,
    mig_uuid: device.uuid,
    gpu_instance_id: String(device.gpuInstanceId),
    compute_instance_id: String(device.computeInstanceId),
    profile: device.profile,
  };
}

function sizeOf({ uuid, device }: MigDevice): readonly Series[] {
  const value = plausible(device.smCount, { max: maxMultiprocessors });
  return value === undefined ? [] : [{ labels: { uuid, mig_uuid: device.uuid }, value }];
}

function one(labels: Readonly<Record<string, string | undefined>>): Series {
  const known = Object.entries(labels).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '',
  );
  return { labels: Object.fromEntries(known), value: 1 };
}
