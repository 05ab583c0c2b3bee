import { describe, expect, it } from 'vitest';
import { gpuMetrics } from '../../exporter/metrics/catalog.ts';
import { type Family, renderFamilies } from '../../exporter/metrics/exposition.ts';
import { gpuFamilies } from '../../exporter/metrics/families.ts';
import { xidText } from '../../exporter/metrics/xid.ts';
import type { GpuReadings } from '../../exporter/readings.ts';
import type { Snapshot } from '../../exporter/snapshot.ts';
import { a100Sxm80 } from '../../exporter/source/mock/profiles.ts';
import { sampleFleet } from '../../exporter/source/mock/scenario.ts';

const family = (value: number, labels: Record<string, string> = {}): Family => ({
  name: 'a',
  type: 'gauge',
  help: 'b',
  series: [{ labels, value }],
});

const snapshot: Snapshot = {
  takenAtMs: 0,
  driverVersion: '570.86.15',
  gpus: sampleFleet({ profile: a100Sxm80, seed: 1, gpus: 2 }, 0),
  health: { failures: [] },
};

/** A snapshot whose only GPU reads as told, and nothing else. */
function reading(readings: Partial<GpuReadings>): Snapshot {
  const [gpu] = snapshot.gpus;
  if (gpu === undefined) throw new Error('the fleet is empty');
  const blank = Object.fromEntries(Object.keys(gpu).map((key) => [key, undefined])) as unknown as GpuReadings;
  const { index, uuid, pciBusId, modelName } = gpu;
  return { ...snapshot, gpus: [{ ...blank, index, uuid, pciBusId, modelName, ...readings }] };
}

describe('renderFamilies', () => {
  it.each([
    { what: 'a backslash', raw: 'a\\b', escaped: 'a\\\\b' },
    { what: 'a quote', raw: 'a"b', escaped: 'a\\"b' },
    { what: 'a line feed', raw: 'a\nb', escaped: 'a\\nb' },
    { what: 'a backslash before an n, which is no line feed', raw: 'a\\nb', escaped: 'a\\\\nb' },
    { what: 'letters of any script as they are', raw: 'Größe 温度', escaped: 'Größe 温度' },
  ])('escapes $what in a label value', ({ raw, escaped }) => {
    expect(renderFamilies([family(1, { l: raw })])).toBe(`# HELP a b\n# TYPE a gauge\na{l="${escaped}"} 1\n`);
  });

  it('escapes help texts, where quotes stay as they are', () => {
    expect(renderFamilies([{ ...family(1), help: 'a\\b "c"\nd' }])).toContain('# HELP a a\\\\b "c"\\nd\n');
  });

  it.each([
    [0, '0'],
    [-0, '0'],
    [1.5, '1.5'],
    [0.1, '0.1'],
    [211_680_000_000, '211680000000'],
    [1e21, '1e+21'],
    [5e-324, '5e-324'],
  ])('writes %d in the shortest form', (value, text) => {
    expect(renderFamilies([family(value)])).toBe(`# HELP a b\n# TYPE a gauge\na ${text}\n`);
  });

  it('sorts families by name and leaves out those without series', () => {
    const named = (name: string): Family => ({ ...family(1), name });
    const text = renderFamilies([named('b'), named('B'), { ...named('c'), series: [] }, named('a')]);
    expect(text.match(/^# TYPE \w+/gm)).toEqual(['# TYPE B', '# TYPE a', '# TYPE b']);
    expect(text).not.toContain('c');
  });
});

describe('gpuMetrics', () => {
  it('holds the 25 default families of dcgm-exporter and five more, each name once', () => {
    const names = gpuMetrics.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const added = names.filter((name) => name.includes('_ECC_') || name.endsWith('_CLOCKS_EVENT_REASONS'));
    expect({ all: names.length, added: added.length }).toEqual({ all: 30, added: 5 });
  });
});

describe('gpuFamilies', () => {
  it('labels each series as dcgm-exporter does, in its order', () => {
    const temperature = gpuFamilies(snapshot, 'node-7').find(({ name }) => name === 'DCGM_FI_DEV_GPU_TEMP');
    expect(Object.entries(temperature?.series[1]?.labels ?? {})).toEqual([
      ['gpu', '1'],
      ['UUID', snapshot.gpus[1]?.uuid],
      ['pci_bus_id', '00000000:0F:00.0'],
      ['device', 'nvidia1'],
      ['modelName', 'NVIDIA A100-SXM4-80GB'],
      ['Hostname', 'node-7'],
      ['DCGM_FI_DRIVER_VERSION', '570.86.15'],
    ]);
  });

  it('says with an XID what it means', () => {
    const text = renderFamilies(gpuFamilies(reading({ lastXid: 79 }), 'h'));
    expect(text).toMatch(/^DCGM_FI_DEV_XID_ERRORS\{.*,err_code="79",err_msg="GPU has fallen off the bus"\} 79$/m);
    expect(xidText(777)).toBe('Unknown Error');
  });

  it('leaves out the driver label when the version is unknown', () => {
    const text = renderFamilies(gpuFamilies({ ...snapshot, driverVersion: undefined }, 'h'));
    expect(text).not.toContain('DCGM_FI_DRIVER_VERSION');
  });

  it('leaves out what the card cannot say instead of writing 0', () => {
    expect(renderFamilies(gpuFamilies(reading({}), 'h'))).toBe('');
    expect(renderFamilies(gpuFamilies(reading({ powerWatts: 0 }), 'h'))).toMatch(/^DCGM_FI_DEV_POWER_USAGE\{.*\} 0$/m);
  });

  it.each([
    { what: 'a 32-bit blank', readings: { gpuTemperatureCelsius: 2_147_483_632, gpuUtilPercent: 4_294_967_295 } },
    { what: 'a 64-bit blank', readings: { framebufferUsedMib: 2 ** 63 - 1024, eccSbeVolatile: 2 ** 63 } },
    {
      what: 'a floating-point blank',
      readings: { powerWatts: 140_737_488_355_328, dramActiveRatio: 140_737_488_355_328 },
    },
    {
      what: 'NaN, infinity or less than nothing',
      readings: { powerWatts: Number.NaN, smClockMhz: Infinity, lastXid: -1 },
    },
  ])('never publishes $what', ({ readings }) => {
    expect(renderFamilies(gpuFamilies(reading(readings), 'h'))).toBe('');
  });
});
