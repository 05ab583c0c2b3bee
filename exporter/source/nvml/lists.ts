/** Calls that carry lists: field values, processes, licences and profiling metrics; and the wait for an event. */

import { allocate, decodeStruct, exact, layouts, type StructValue } from './layouts.ts';
import { type Handle, row, u32 } from './slots.ts';

/** What one field value asks for. The scope is a link or a sensor, where the field has several. */
export interface FieldQuery {
  readonly fieldId: number;
  readonly scopeId?: number | undefined;
  /** Reads 32 bits whatever type the driver says: some drivers mark whole numbers as doubles. */
  readonly isUnsignedInt?: boolean | undefined;
}

/** The value of one field: there exactly when its own code is 0. */
export interface FieldAnswer {
  readonly fieldId: number;
  readonly scopeId: number;
  readonly code: number;
  readonly value: number | undefined;
  /** When the driver took it, in microseconds since the epoch; undefined where it does not say. */
  readonly takenAtUs: number | undefined;
}

/** One call for many fields: each has a code of its own beside the code of the call. */
export const fieldValues = row(['pointer', 'int', 'pointer'], (device: Handle, queries: readonly FieldQuery[]) => {
  const { size, fields } = layouts.nvmlFieldValue_t;
  const memory = Buffer.alloc(size * queries.length);
  for (const [index, { fieldId, scopeId = 0 }] of queries.entries()) {
    memory.writeUInt32LE(fieldId, index * size + fields.fieldId.at);
    memory.writeUInt32LE(scopeId, index * size + fields.scopeId.at);
  }
  const read = (): readonly FieldAnswer[] => queries.map((query, index) => readField(memory, index * size, query));
  return { values: [device, queries.length, memory], read };
});

function readField(memory: Buffer, base: number, { isUnsignedInt = false }: FieldQuery): FieldAnswer {
  const { fieldId, scopeId, nvmlReturn, valueType, timestamp } = decodeStruct(layouts.nvmlFieldValue_t, memory, base);
  if (nvmlReturn !== 0) return { fieldId, scopeId, code: nvmlReturn, value: undefined, takenAtUs: undefined };
  const read = unionReaders[isUnsignedInt ? unsignedInt : valueType];
  const value = read?.(memory, base + layouts.nvmlFieldValue_t.fields.value.at);
  return { fieldId, scopeId, code: 0, value, takenAtUs: timestamp || undefined };
}

const unsignedInt = 1;

// The members of nvmlValue_t, in the order of nvmlValueType_t.
const unionReaders: readonly ((memory: Buffer, at: number) => number | undefined)[] = [
  (memory, at) => memory.readDoubleLE(at),
  (memory, at) => memory.readUInt32LE(at),
  (memory, at) => exact(memory.readBigUInt64LE(at)),
  (memory, at) => exact(memory.readBigUInt64LE(at)),
  (memory, at) => exact(memory.readBigInt64LE(at)),
  (memory, at) => memory.readInt32LE(at),
  (memory, at) => memory.readUInt16LE(at),
];

export type ProcessInfo = StructValue<typeof layouts.nvmlProcessInfo_t>;

/** Processes on a device, at most `capacity`; with more of them the call answers INSUFFICIENT_SIZE. */
export const processList = row(['pointer', 'pointer', 'pointer'], (device: Handle, capacity: number) => {
  const { size } = layouts.nvmlProcessInfo_t;
  const count = u32.make();
  count.writeUInt32LE(capacity, 0);
  const memory = Buffer.alloc(size * Math.max(1, capacity));
  const read = (): readonly ProcessInfo[] =>
    elements(Math.min(capacity, u32.read(count)), (index) =>
      decodeStruct(layouts.nvmlProcessInfo_t, memory, index * size),
    );
  return { values: [device, count, memory], read };
});

export interface Licences {
  readonly isSupported: boolean;
  readonly features: readonly StructValue<typeof layouts.nvmlGridLicensableFeature_t>[];
}

const maxLicensableFeatures = 3;

/** The features of a device that need a vGPU licence, and whether they have one. */
export const licences = row(['pointer', 'pointer'], (device: Handle) => {
  const { fields } = layouts.nvmlGridLicensableFeatures_t;
  const { size } = layouts.nvmlGridLicensableFeature_t;
  const memory = allocate(layouts.nvmlGridLicensableFeatures_t);
  const read = (): Licences => {
    const head = decodeStruct(layouts.nvmlGridLicensableFeatures_t, memory);
    const count = Math.min(maxLicensableFeatures, head.licensableFeaturesCount);
    const feature = (index: number) =>
      decodeStruct(layouts.nvmlGridLicensableFeature_t, memory, fields.gridLicensableFeatures.at + index * size);
    return { isSupported: head.isGridLicenseSupported !== 0, features: elements(count, feature) };
  };
  return { values: [device, memory], read };
});

/** Two samples of one device, between which metrics are taken. */
export interface GpmSamples {
  readonly earlier: Handle;
  readonly later: Handle;
}

export type GpmAnswer = StructValue<typeof layouts.nvmlGpmMetric_t>;

/** Metrics over the time between two samples: each has a code of its own beside the code of the call. */
export const gpmMetrics = row(['pointer'], (samples: GpmSamples, metricIds: readonly number[]) => {
  const { fields } = layouts.nvmlGpmMetricsGet_t;
  const { size } = layouts.nvmlGpmMetric_t;
  const memory = allocate(layouts.nvmlGpmMetricsGet_t);
  memory.writeUInt32LE(metricIds.length, fields.numMetrics.at);
  memory.writeBigUInt64LE(samples.earlier, fields.sample1.at);
  memory.writeBigUInt64LE(samples.later, fields.sample2.at);
  for (const [index, id] of metricIds.entries()) memory.writeUInt32LE(id, fields.metrics.at + index * size);
  const read = (): readonly GpmAnswer[] =>
    elements(metricIds.length, (index) =>
      decodeStruct(layouts.nvmlGpmMetric_t, memory, fields.metrics.at + index * size),
    );
  return { values: [memory], read };
});

/** Waits for an event of a set, at most `timeoutMs`. */
export const eventWait = row(['pointer', 'pointer', 'uint'], (set: Handle, timeoutMs: number) => {
  const memory = allocate(layouts.nvmlEventData_t);
  return { values: [set, memory, timeoutMs], read: () => decodeStruct(layouts.nvmlEventData_t, memory) };
});

function elements<T>(length: number, element: (index: number) => T): readonly T[] {
  return Array.from({ length }, (_, index) => element(index));
}
