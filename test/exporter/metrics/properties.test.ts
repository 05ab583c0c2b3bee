import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSelection, metrics } from '../../../exporter/metrics/catalog.ts';
import { dcgmFamilies } from '../../../exporter/metrics/dcgm/families.ts';
import type { CounterSelection } from '../../../exporter/metrics/dcgm/selection.ts';
import type { Family } from '../../../exporter/metrics/exposition.ts';
import { mergeFamilies } from '../../../exporter/metrics/merge-families.ts';
import { nativeFamilies } from '../../../exporter/metrics/native/families.ts';
import { platformFamilies } from '../../../exporter/metrics/native/platform.ts';
import type { GpuSample, MigInstance, Snapshot } from '../../../exporter/snapshot.ts';
import { everyReading } from './hardware/every-reading.ts';
import { presenceOf } from './hardware/presence-of.ts';

/** What drivers and DCGM write for "blank", "not found", "not supported" and "no permission", and what no sensor can mean. */
const sentinels = [
  4_294_967_295,
  2 ** 63 - 1024,
  2 ** 63,
  2 ** 64,
  -1,
  -2_147_483_648,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

/** DCGM's own blanks; NVML does not write them, and counters of bytes or nanoseconds reach these numbers honestly. */
const dcgmBlanks = [2_147_483_632, 2_147_483_635, 140_737_488_355_328, 140_737_488_355_331];

const reading = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(undefined, 0, 1, 57) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 1e19, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(...sentinels, ...dcgmBlanks) },
);

const readings = fc.record(Object.fromEntries(Object.keys(everyReading).map((key) => [key, reading])), {
  requiredKeys: [],
});

const text = fc.string({ unit: 'grapheme', maxLength: 12 });

const migInstance: fc.Arbitrary<MigInstance> = fc.record({
  uuid: fc.uuid(),
  gpuInstanceId: fc.nat(6),
  computeInstanceId: fc.nat(3),
  profile: fc.constantFrom('1g.10gb', '1c.3g.40gb', ''),
  framebufferUsedMib: reading,
  smCount: reading,
  dramActiveRatio: reading,
});

const gpu: fc.Arbitrary<GpuSample> = fc
  .tuple(
    readings,
    fc.record({
      pciBusId: text,
      modelName: text,
      serial: fc.option(text, { nil: undefined }),
      migInstances: fc.uniqueArray(migInstance, { maxLength: 4, selector: ({ uuid }) => uuid }),
      nvlinks: fc.uniqueArray(
        fc.record({ link: fc.nat(17), isActive: fc.boolean(), crcFlitErrors: reading, replayErrors: reading }),
        { maxLength: 3, selector: ({ link }) => link },
      ),
      processes: fc.uniqueArray(
        fc.record({
          pid: fc.nat(3),
          name: text,
          kind: fc.constantFrom('compute' as const, 'graphics' as const),
          usedMemoryMib: reading,
        }),
        { maxLength: 4, selector: ({ pid }) => pid },
      ),
    }),
  )
  .map(([values, rest]) => ({ index: 0, uuid: '', ...values, ...rest }));

const snapshot: fc.Arbitrary<Snapshot> = fc
  .record({ gpus: fc.array(gpu, { maxLength: 3 }), driverVersion: fc.option(text, { nil: undefined }) })
  .map(({ gpus, driverVersion }) => ({
    takenAtMs: 1_767_225_600_000,
    driverVersion,
    gpus: gpus.map((sample, index) => ({ ...sample, index, uuid: `GPU-${index}` })),
    health: { failures: [] },
  }));

const everything: CounterSelection = {
  ...defaultSelection,
  counters: metrics.flatMap((metric) =>
    metric.dcgm === undefined ? [] : [{ name: metric.dcgm.field, type: metric.dcgm.type, help: '', metric }],
  ),
};

const dcgmOptions = {
  hostname: 'node-7',
  hostnameLabel: 'both',
  useOldNamespace: false,
  replaceBlanksInModelName: true,
  attributesOf: () => [{ hpc_job: '41' }, { hpc_job: '42', account: 'x' }],
} as const;

function profilesOf(taken: Snapshot): Readonly<Record<string, readonly Family[]>> {
  const presence = presenceOf(taken);
  const input = { snapshot: taken, presence, hostname: 'node-7' };
  const dcgm = dcgmFamilies(taken, everything, { ...dcgmOptions, presence });
  const [native, platform] = [nativeFamilies(input), platformFamilies(input)];
  return { dcgm, native, platform, merged: mergeFamilies(platform, native, dcgm) };
}

const labelOrder = [
  'gpu',
  'UUID',
  'pci_bus_id',
  'device',
  'modelName',
  'GPU_I_PROFILE',
  'GPU_I_ID',
  'Hostname',
  'hostname',
];

describe('whatever a driver says', () => {
  it('no value is a sentinel, NaN, infinite or less than nothing, in any profile', () => {
    fc.assert(
      fc.property(snapshot, (taken) => {
        for (const families of Object.values(profilesOf(taken)))
          for (const { name, series } of families)
            for (const { value } of series)
              expect(Number.isFinite(value) && value >= 0 && !sentinels.includes(value), `${name} ${value}`).toBe(true);
      }),
    );
  });

  it('no family appears twice and no series appears twice in its family, in any profile', () => {
    fc.assert(
      fc.property(snapshot, (taken) => {
        for (const families of Object.values(profilesOf(taken))) {
          expect(repeated(families.map(({ name }) => name))).toEqual([]);
          for (const { name, series } of families)
            expect(repeated(series.map(({ labels }) => seriesKey(labels))), name).toEqual([]);
        }
      }),
    );
  });

  it('the labels of the dcgm profile stand in the order of dcgm-exporter', () => {
    fc.assert(
      fc.property(snapshot, (taken) => {
        for (const { series } of profilesOf(taken).dcgm ?? [])
          for (const { labels } of series) {
            const names = Object.keys(labels);
            const own = names.filter((name) => !labelOrder.includes(name));
            const fields = own.filter((name) => name.startsWith('DCGM_'));
            const attributes = own.filter((name) => !name.startsWith('DCGM_'));
            const identity = labelOrder.filter((name) => names.includes(name));
            expect(names).toEqual([...identity, ...fields.toSorted(), ...attributes.toSorted()]);
          }
      }),
    );
  });
});

function repeated(keys: readonly string[]): readonly string[] {
  return keys.filter((key, nth) => keys.indexOf(key) !== nth);
}

function seriesKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted());
}
