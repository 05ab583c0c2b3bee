/** Where each field of NVML's structs lies, and how it is read from memory. Offsets are those of the 64-bit C ABI, little endian. */

/** An `array` is only located: whoever knows the type of its elements reads them. */
type Kind = 'u8' | 'u32' | 'i32' | 'u64' | 'i64' | 'f64' | 'pointer' | 'text' | 'array';

interface Field {
  readonly at: number;
  readonly kind: Kind;
  /** Bytes of a text, its terminator included. */
  readonly length?: number;
}

export interface Layout {
  readonly size: number;
  readonly fields: Readonly<Record<string, Field>>;
  /** What `version` must hold before the call: NVML_STRUCT_VERSION, or the plain number of the older structs. */
  readonly version?: number;
}

/** Fields of 64 bits are undefined where they hold more than a number can: drivers write all ones for "not available". */
type KindValue<K extends Kind> = K extends 'u64' | 'i64'
  ? number | undefined
  : K extends 'pointer'
    ? bigint
    : K extends 'text'
      ? string
      : K extends 'array'
        ? undefined
        : number;

export type StructValue<L extends Layout> = {
  readonly [Name in keyof L['fields']]: KindValue<L['fields'][Name]['kind']>;
};

const structVersion = (size: number, version: number) => size | (version << 24);

export const layouts = {
  nvmlPciInfo_t: {
    size: 68,
    fields: {
      domain: { at: 16, kind: 'u32' },
      bus: { at: 20, kind: 'u32' },
      device: { at: 24, kind: 'u32' },
      busId: { at: 36, kind: 'text', length: 32 },
    },
  },
  nvmlUtilization_t: { size: 8, fields: { gpu: { at: 0, kind: 'u32' }, memory: { at: 4, kind: 'u32' } } },
  nvmlMemory_t: {
    size: 24,
    fields: { total: { at: 0, kind: 'u64' }, free: { at: 8, kind: 'u64' }, used: { at: 16, kind: 'u64' } },
  },
  nvmlMemory_v2_t: {
    size: 40,
    version: structVersion(40, 2),
    fields: {
      version: { at: 0, kind: 'u32' },
      total: { at: 8, kind: 'u64' },
      reserved: { at: 16, kind: 'u64' },
      free: { at: 24, kind: 'u64' },
      used: { at: 32, kind: 'u64' },
    },
  },
  nvmlBAR1Memory_t: {
    size: 24,
    fields: { bar1Total: { at: 0, kind: 'u64' }, bar1Free: { at: 8, kind: 'u64' }, bar1Used: { at: 16, kind: 'u64' } },
  },
  nvmlTemperature_v1_t: {
    size: 12,
    version: structVersion(12, 1),
    fields: {
      version: { at: 0, kind: 'u32' },
      sensorType: { at: 4, kind: 'u32' },
      temperature: { at: 8, kind: 'i32' },
    },
  },
  nvmlFieldValue_t: {
    size: 40,
    fields: {
      fieldId: { at: 0, kind: 'u32' },
      scopeId: { at: 4, kind: 'u32' },
      timestamp: { at: 8, kind: 'i64' },
      latencyUsec: { at: 16, kind: 'i64' },
      valueType: { at: 24, kind: 'u32' },
      nvmlReturn: { at: 28, kind: 'u32' },
      value: { at: 32, kind: 'u64' },
    },
  },
  nvmlProcessInfo_t: {
    size: 24,
    fields: {
      pid: { at: 0, kind: 'u32' },
      usedGpuMemory: { at: 8, kind: 'u64' },
      gpuInstanceId: { at: 16, kind: 'u32' },
      computeInstanceId: { at: 20, kind: 'u32' },
    },
  },
  nvmlDeviceAttributes_t: {
    size: 40,
    fields: {
      multiprocessorCount: { at: 0, kind: 'u32' },
      gpuInstanceSliceCount: { at: 24, kind: 'u32' },
      computeInstanceSliceCount: { at: 28, kind: 'u32' },
      memorySizeMB: { at: 32, kind: 'u64' },
    },
  },
  nvmlGridLicensableFeature_t: {
    size: 284,
    fields: {
      featureCode: { at: 0, kind: 'u32' },
      featureState: { at: 4, kind: 'u32' },
    },
  },
  nvmlGridLicensableFeatures_t: {
    size: 860,
    fields: {
      isGridLicenseSupported: { at: 0, kind: 'i32' },
      licensableFeaturesCount: { at: 4, kind: 'u32' },
      gridLicensableFeatures: { at: 8, kind: 'array' },
    },
  },
  nvmlGpuFabricInfo_t: {
    size: 28,
    fields: { status: { at: 16, kind: 'u32' }, state: { at: 24, kind: 'u8' } },
  },
  nvmlGpuFabricInfo_v2_t: {
    size: 36,
    version: structVersion(36, 2),
    fields: {
      version: { at: 0, kind: 'u32' },
      status: { at: 20, kind: 'u32' },
      state: { at: 28, kind: 'u8' },
    },
  },
  nvmlGpmMetric_t: {
    size: 40,
    fields: { metricId: { at: 0, kind: 'u32' }, nvmlReturn: { at: 4, kind: 'u32' }, value: { at: 8, kind: 'f64' } },
  },
  nvmlGpmMetricsGet_t: {
    size: 13_344,
    version: 1,
    fields: {
      version: { at: 0, kind: 'u32' },
      numMetrics: { at: 4, kind: 'u32' },
      sample1: { at: 8, kind: 'pointer' },
      sample2: { at: 16, kind: 'pointer' },
      metrics: { at: 24, kind: 'array' },
    },
  },
  nvmlGpmSupport_t: {
    size: 8,
    version: 1,
    fields: { version: { at: 0, kind: 'u32' }, isSupportedDevice: { at: 4, kind: 'u32' } },
  },
  nvmlEventData_t: {
    size: 32,
    fields: {
      device: { at: 0, kind: 'pointer' },
      eventType: { at: 8, kind: 'u64' },
      eventData: { at: 16, kind: 'u64' },
      gpuInstanceId: { at: 24, kind: 'u32' },
      computeInstanceId: { at: 28, kind: 'u32' },
    },
  },
} as const satisfies Readonly<Record<string, Layout>>;

/** Zeroed memory for a struct, its version filled in where the struct has one. */
export function allocate({ size, version }: Layout): Buffer {
  const memory = Buffer.alloc(size);
  if (version !== undefined) memory.writeUInt32LE(version, 0);
  return memory;
}

/** Every field of the struct that begins at `base`. */
export function decodeStruct<L extends Layout>(layout: L, memory: Buffer, base = 0): StructValue<L> {
  const entries = Object.entries(layout.fields).map(([name, field]) => [name, readField(memory, base, field)]);
  return Object.fromEntries(entries) as StructValue<L>;
}

function readField(
  memory: Buffer,
  base: number,
  { at, kind, length = 0 }: Field,
): number | bigint | string | undefined {
  if (kind === 'text') return readText(memory.subarray(base + at, base + at + length));
  return kind === 'array' ? undefined : readers[kind](memory, base + at);
}

const readers = {
  u8: (memory: Buffer, at: number) => memory.readUInt8(at),
  u32: (memory: Buffer, at: number) => memory.readUInt32LE(at),
  i32: (memory: Buffer, at: number) => memory.readInt32LE(at),
  f64: (memory: Buffer, at: number) => memory.readDoubleLE(at),
  pointer: (memory: Buffer, at: number) => memory.readBigUInt64LE(at),
  u64: (memory: Buffer, at: number) => exact(memory.readBigUInt64LE(at)),
  i64: (memory: Buffer, at: number) => exact(memory.readBigInt64LE(at)),
};

/** A 64-bit integer as a number, undefined where a number could not hold it exactly. */
export function exact(value: bigint): number | undefined {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** The text up to its terminator; drivers leave rubbish behind it. */
export function readText(memory: Buffer): string {
  const end = memory.indexOf(0);
  return memory.toString('utf8', 0, end === -1 ? memory.length : end).trim();
}
