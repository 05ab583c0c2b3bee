/**
 * Who a series of the dcgm profile belongs to: a GPU or, where MIG divides one, each of its instances. Labels and their order are
 * those of dcgm-exporter; objects are shared by all series of a row, so that a renderer may keep their text.
 */

import type { Presence } from '../../presence.ts';
import type { GpuSample, MigInstance, Snapshot } from '../../snapshot.ts';
import type { Labels } from '../exposition.ts';
import { gpuInstances } from '../mig-rows.ts';
import type { SelectedLabel } from './selection.ts';

export interface DcgmOptions {
  readonly hostname: string;
  /** `Hostname` until dcgm-exporter 4.8.2, `hostname` since. */
  readonly hostnameLabel: 'Hostname' | 'hostname' | 'both' | 'none';
  /** `uuid` in place of `UUID`. */
  readonly useOldNamespace: boolean;
  readonly replaceBlanksInModelName: boolean;
  /** Which rows a GPU has. Unless said: its MIG instances if it has any, else the GPU itself. */
  readonly entitiesOf?: (gpu: GpuSample) => readonly DcgmEntity[];
  /** Attributes that come from outside, such as `hpc_job`: each set gives every series of the row once, none at all also once. */
  readonly attributesOf?: (entity: DcgmEntity) => readonly Labels[];
  /** GPUs that are gone keep their last XID: it is often why they are gone. */
  readonly presence?: Presence;
}

export interface DcgmEntity {
  readonly gpu: GpuSample;
  /** Undefined for the GPU as a whole. */
  readonly instance: MigInstance | undefined;
}

export interface DcgmRow extends DcgmEntity {
  /** All labels but those of single metrics. */
  readonly labels: Labels;
  readonly parts: {
    readonly identity: Labels;
    /** From `label` rows of the counters file. */
    readonly fields: Labels;
    readonly attributes: Labels;
  };
}

/** Every row there is to publish, in the order of the GPUs. */
export function dcgmRows(
  snapshot: Snapshot,
  labels: readonly SelectedLabel[],
  options: DcgmOptions,
): readonly DcgmRow[] {
  const entitiesOf = options.entitiesOf ?? flexibleEntities;
  return [...snapshot.gpus, ...goneGpus(snapshot, options.presence)].flatMap(entitiesOf).flatMap((entity) => {
    const identity = identityLabels(entity, options);
    const fields = sortByName(fieldLabels(entity.gpu, snapshot, labels));
    return attributeSets(entity, options).map((attributes) => rowOf(entity, { identity, fields, attributes }));
  });
}

/** The labels of a row with some of one metric among them, where dcgm-exporter would put them. */
export function labelsWith(
  { parts }: DcgmRow,
  own: { readonly fields?: Labels; readonly attributes?: Labels },
): Labels {
  return {
    ...parts.identity,
    ...sortByName({ ...parts.fields, ...own.fields }),
    ...sortByName({ ...parts.attributes, ...own.attributes }),
  };
}

/** The rows of `f`, "flexibly": the instances of a GPU that has any, else the GPU. */
export function flexibleEntities(gpu: GpuSample): readonly DcgmEntity[] {
  const instances = gpuInstances(gpu);
  return instances.length === 0 ? [{ gpu, instance: undefined }] : instances;
}

function rowOf({ gpu, instance }: DcgmEntity, parts: DcgmRow['parts']): DcgmRow {
  return { gpu, instance, parts, labels: { ...parts.identity, ...parts.fields, ...parts.attributes } };
}

// A gone GPU reads as one that can say nothing but its last XID.
function goneGpus(snapshot: Snapshot, presence: Presence | undefined): readonly GpuSample[] {
  const present = new Set(snapshot.gpus.map(({ uuid }) => uuid));
  return Object.values(presence?.gpus ?? {})
    .filter(({ identity, state }) => state === 'unavailable' && !present.has(identity.uuid))
    .map(({ identity, lastXid }) => ({ ...identity, lastXid: lastXid?.code }));
}

function identityLabels({ gpu, instance }: DcgmEntity, options: DcgmOptions): Labels {
  return {
    gpu: String(gpu.index),
    [options.useOldNamespace ? 'uuid' : 'UUID']: gpu.uuid,
    pci_bus_id: gpu.pciBusId,
    device: `nvidia${gpu.index}`,
    modelName: options.replaceBlanksInModelName ? gpu.modelName.trim().replaceAll(/\s+/g, '-') : gpu.modelName,
    ...instanceLabels(instance),
    ...hostnameLabels(options),
  };
}

function instanceLabels(instance: MigInstance | undefined): Labels {
  if (instance === undefined) return {};
  // NVML names compute instances, 1c.3g.40gb; DCGM the GPU instance they are part of, 3g.40gb.
  return { GPU_I_PROFILE: instance.profile.replace(/^\d+c\./, ''), GPU_I_ID: String(instance.gpuInstanceId) };
}

function hostnameLabels({ hostname, hostnameLabel }: DcgmOptions): Labels {
  if (hostname === '' || hostnameLabel === 'none') return {};
  if (hostnameLabel === 'both') return { Hostname: hostname, hostname };
  return { [hostnameLabel]: hostname };
}

function fieldLabels(gpu: GpuSample, snapshot: Snapshot, labels: readonly SelectedLabel[]): Labels {
  const pairs = labels.map(({ name, get }): [string, string] => [name, get(gpu, snapshot) ?? '']);
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''));
}

function attributeSets(entity: DcgmEntity, { attributesOf }: DcgmOptions): readonly Labels[] {
  const sets = attributesOf?.(entity) ?? [];
  return sets.length === 0 ? [{}] : sets.map(sortByName);
}

function sortByName(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
