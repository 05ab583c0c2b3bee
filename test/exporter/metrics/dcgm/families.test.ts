import { describe, expect, it } from 'vitest';
import { defaultSelection, metricByDcgmName } from '../../../../exporter/metrics/catalog.ts';
import { dcgmFamilies } from '../../../../exporter/metrics/dcgm/families.ts';
import type { DcgmOptions } from '../../../../exporter/metrics/dcgm/labels.ts';
import type { SelectedCounter } from '../../../../exporter/metrics/dcgm/selection.ts';
import type { GpuReadings } from '../../../../exporter/readings.ts';
import type { Snapshot } from '../../../../exporter/snapshot.ts';
import { a100Mig } from '../hardware/a100-mig.ts';
import { h200 } from '../hardware/h200.ts';
import { afterLoss, beforeLoss } from '../hardware/lost-gpu.ts';
import { presenceOf } from '../hardware/presence-of.ts';

const options: DcgmOptions = {
  hostname: 'node-7',
  hostnameLabel: 'Hostname',
  useOldNamespace: false,
  replaceBlanksInModelName: false,
};

function counter(name: string, changes: Partial<SelectedCounter> = {}): SelectedCounter {
  const metric = metricByDcgmName(name);
  if (metric === undefined) throw new Error(`no row for ${name}`);
  return { name, type: 'gauge', help: 'h', metric, ...changes };
}

const select = (...counters: SelectedCounter[]) => ({ counters, expressions: [], labels: [] });

/** The one value a GPU with only these readings has under a name of DCGM. */
function readAs(name: string, readings: GpuReadings): number | undefined {
  const gpu = { index: 0, uuid: 'GPU-0', pciBusId: '', modelName: 'A', ...readings };
  const snapshot: Snapshot = { takenAtMs: 0, driverVersion: undefined, gpus: [gpu], health: { failures: [] } };
  return dcgmFamilies(snapshot, select(counter(name)), options)[0]?.series[0]?.value;
}

describe('dcgmFamilies', () => {
  it('has one family per counter, with the name, type and help of the selection', () => {
    const selection = select(
      counter('dcgm_gpu_temp', { type: 'untyped', help: 'warm' }),
      counter('DCGM_FI_DEV_GPU_TEMP'),
    );
    const families = dcgmFamilies(h200, selection, options);
    expect(
      families.map(({ name, type, help, series }) => [name, type, help, series.map(({ value }) => value)]),
    ).toEqual([
      ['dcgm_gpu_temp', 'untyped', 'warm', [61]],
      ['DCGM_FI_DEV_GPU_TEMP', 'gauge', 'h', [61]],
    ]);
  });

  it('takes the first of two counters with the same name', () => {
    const selection = select(
      counter('DCGM_FI_DEV_GPU_TEMP', { help: 'first' }),
      counter('DCGM_FI_DEV_GPU_TEMP', { help: 'second' }),
    );
    expect(dcgmFamilies(h200, selection, options).map(({ help }) => help)).toEqual(['first']);
  });

  it.each([
    { name: 'DCGM_FI_DEV_ENFORCED_POWER_LIMIT', readings: { enforcedPowerLimitWatts: 699.5 }, value: 699 },
    { name: 'DCGM_FI_DEV_POWER_USAGE', readings: { powerWatts: 688.412 }, value: 688.412 },
    { name: 'DCGM_FI_DEV_FB_USED', readings: { framebufferUsedMib: 401.9 }, value: 401 },
    { name: 'DCGM_FI_PROF_PCIE_RX_BYTES', readings: { pcieReceiveBytesPerSecond: 73_400_320.75 }, value: 73_400_320 },
    { name: 'DCGM_FI_DEV_PCIE_TX_THROUGHPUT', readings: { pcieTransmitBytesPerSecond: 1_234_567 }, value: 1_234 },
    { name: 'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION', readings: { energyMillijoules: 1_500 }, value: 1_500 },
    { name: 'DCGM_FI_DEV_POWER_VIOLATION', readings: { powerViolationNanoseconds: 3e17 }, value: 3e17 },
    { name: 'DCGM_FI_DEV_FABRIC_MANAGER_STATUS', readings: { fabricState: 2, fabricStatus: 0 }, value: 2 },
    { name: 'DCGM_FI_DEV_FABRIC_MANAGER_STATUS', readings: { fabricState: 3, fabricStatus: 0 }, value: 3 },
    { name: 'DCGM_FI_DEV_FABRIC_MANAGER_STATUS', readings: { fabricState: 3, fabricStatus: 999 }, value: 4 },
    {
      name: 'DCGM_FI_DEV_FB_USED_PERCENT',
      readings: { framebufferTotalMib: 1_000, framebufferReservedMib: 200, framebufferUsedMib: 200 },
      value: 0.25,
    },
    {
      name: 'DCGM_FI_DEV_FB_USED_PERCENT',
      readings: { framebufferTotalMib: 1_000, framebufferUsedMib: 250 },
      value: 0.25,
    },
    {
      name: 'DCGM_FI_DEV_FB_USED_PERCENT',
      readings: { framebufferTotalMib: 4_294_967_295, framebufferUsedMib: 250 },
      value: undefined,
    },
  ])('gives $name in the unit and form of DCGM: $value', ({ name, readings, value }) => {
    expect(readAs(name, readings)).toBe(value);
  });

  it.each([
    { code: 0, text: 'No Error' },
    { code: 79, text: 'GPU has fallen off the bus' },
    { code: 998, text: 'Unknown Error' },
  ])('says with XID $code what it means', ({ code, text }) => {
    const [gpu] = h200.gpus;
    if (gpu === undefined) throw new Error('there is a GPU');
    const snapshot = { ...h200, gpus: [{ ...gpu, lastXid: code }] };
    const [family] = dcgmFamilies(snapshot, select(counter('DCGM_FI_DEV_XID_ERRORS')), options);
    expect(family?.series.map(({ labels, value }) => [Object.entries(labels).slice(-2), value])).toEqual([
      [
        [
          ['err_code', String(code)],
          ['err_msg', text],
        ],
        code,
      ],
    ]);
  });

  it('shows of an instance what is its own, of its card what belongs to the card, and nothing that NVML cannot tell', () => {
    const selection = select(
      counter('DCGM_FI_DEV_FB_USED'),
      counter('DCGM_FI_DEV_GPU_TEMP'),
      counter('DCGM_FI_DEV_BAR1_USED'),
      counter('DCGM_FI_PROF_DRAM_ACTIVE'),
    );
    const families = dcgmFamilies(a100Mig, selection, options);
    const values = families.map(({ series }) => series.map(({ labels, value }) => [labels.GPU_I_ID, value]));
    expect(values).toEqual([
      [
        ['2', 21_081],
        ['3', 13],
        [undefined, 4],
      ],
      [
        ['2', 48],
        ['3', 48],
        [undefined, 33],
      ],
      [],
      [],
    ]);
  });

  it('keeps of a GPU that is gone its last XID, and nothing else', () => {
    const presence = presenceOf(beforeLoss, afterLoss);
    const families = dcgmFamilies(afterLoss, defaultSelection, { ...options, presence });
    const gone = families.filter(({ series }) => series.some(({ labels }) => labels.gpu === '1'));
    expect(gone.map(({ name, series }) => [name, series.at(-1)?.value])).toEqual([['DCGM_FI_DEV_XID_ERRORS', 79]]);
  });

  it('shares one object of labels among all series of a GPU that have no others, for the renderer to keep its text', () => {
    const families = dcgmFamilies(a100Mig, defaultSelection, options);
    const plain = families.filter(({ name }) => name !== 'DCGM_FI_DEV_XID_ERRORS').flatMap(({ series }) => series);
    expect(new Set(plain.map(({ labels }) => labels)).size).toBe(3);
  });
});
