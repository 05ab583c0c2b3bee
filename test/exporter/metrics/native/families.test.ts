import { describe, expect, it } from 'vitest';
import { nativeFamilies, nativeTopics } from '../../../../exporter/metrics/native/families.ts';
import { initialPresence } from '../../../../exporter/presence.ts';
import type { GpuSample, Snapshot } from '../../../../exporter/snapshot.ts';
import { a100Mig } from '../hardware/a100-mig.ts';
import { h200 } from '../hardware/h200.ts';
import { presenceOf } from '../hardware/presence-of.ts';
import { t4 } from '../hardware/t4.ts';
import { seriesOf } from './series-of.ts';

const uuid = 'GPU-0';

/** The families of one GPU that reads as told. */
function familiesOf(sample: Partial<GpuSample>) {
  const gpu = { index: 0, uuid, pciBusId: '00000000:07:00.0', modelName: 'A', ...sample };
  const snapshot: Snapshot = { takenAtMs: 0, driverVersion: undefined, gpus: [gpu], health: { failures: [] } };
  return nativeFamilies({ snapshot, presence: initialPresence, hostname: '' });
}

describe('nativeFamilies', () => {
  it.each([
    { name: 'gpu_memory_copy_utilization_ratio', readings: { memoryCopyUtilPercent: 57 }, value: 0.57 },
    { name: 'gpu_utilization_percent', readings: { gpuUtilPercent: 57 }, value: 57 },
    { name: 'gpu_sm_clock_hertz', readings: { smClockMhz: 1410 }, value: 1.41e9 },
    { name: 'gpu_memory_used_bytes', readings: { framebufferUsedMib: 3 }, value: 3_145_728 },
    { name: 'gpu_energy_joules_total', readings: { energyMillijoules: 1_234_567_890_123 }, value: 1_234_567_890.123 },
    { name: 'gpu_nvlink_transmit_bytes_total', readings: { nvlinkTransmitKib: 2 }, value: 2048 },
    { name: 'gpu_enforced_power_limit_watts', readings: { enforcedPowerLimitWatts: 699.5 }, value: 699.5 },
  ])('gives $name in base units, with no rounding error', ({ name, readings, value }) => {
    expect(seriesOf(familiesOf(readings), name)).toEqual([[{ uuid }, value]]);
  });

  it('makes one family of readings that differ by a label', () => {
    const families = familiesOf({ softwarePowerCapNanoseconds: 1.5e9, hardwareThermalNanoseconds: 7e17 });
    expect(seriesOf(families, 'gpu_clocks_event_seconds_total')).toEqual([
      [{ uuid, reason: 'power_cap' }, 1.5],
      [{ uuid, reason: 'hw_thermal' }, 700_000_000],
    ]);
  });

  it('splits the clocks-event mask into one series per reason', () => {
    expect(seriesOf(familiesOf({ clocksEventReasons: 0x48 }), 'gpu_clocks_event_active')).toEqual([
      [{ uuid, reason: 'gpu_idle' }, 0],
      [{ uuid, reason: 'clocks_setting' }, 0],
      [{ uuid, reason: 'power_cap' }, 0],
      [{ uuid, reason: 'hw_slowdown' }, 1],
      [{ uuid, reason: 'sync_boost' }, 0],
      [{ uuid, reason: 'sw_thermal' }, 0],
      [{ uuid, reason: 'hw_thermal' }, 1],
      [{ uuid, reason: 'hw_power_brake' }, 0],
      [{ uuid, reason: 'display_clocks' }, 0],
    ]);
  });

  it('takes a mask with all bits set for no mask', () => {
    expect(seriesOf(familiesOf({ clocksEventReasons: 4_294_967_295 }), 'gpu_clocks_event_active')).toEqual([]);
  });

  it('shows each NVLink, with the counters it has', () => {
    const families = familiesOf({
      nvlinks: [
        { link: 0, isActive: true, crcFlitErrors: 0, replayErrors: 3 },
        { link: 1, isActive: false },
      ],
    });
    expect(seriesOf(families, 'gpu_nvlink_link_up')).toEqual([
      [{ uuid, link: '0' }, 1],
      [{ uuid, link: '1' }, 0],
    ]);
    expect(seriesOf(families, 'gpu_nvlink_link_replay_errors_total')).toEqual([[{ uuid, link: '0' }, 3]]);
    expect(seriesOf(families, 'gpu_nvlink_link_recovery_errors_total')).toEqual([]);
  });

  it('shows each process once for each kind of use, and leaves out processes without a size', () => {
    const families = familiesOf({
      processes: [
        { pid: 7, name: 'python3', kind: 'compute', usedMemoryMib: 3 },
        { pid: 7, name: 'python3', kind: 'graphics', usedMemoryMib: 4 },
        { pid: 8, name: 'Xorg', kind: 'graphics' },
        { pid: 9, name: 'blank', kind: 'compute', usedMemoryMib: 4_294_967_295 },
      ],
    });
    expect(seriesOf(families, 'gpu_process_memory_bytes')).toEqual([
      [{ uuid, pid: '7', name: 'python3', kind: 'compute' }, 3 * 2 ** 20],
      [{ uuid, pid: '7', name: 'python3', kind: 'graphics' }, 4 * 2 ** 20],
    ]);
  });

  it('gives the memory of a GPU instance once, however many MIG devices share it', () => {
    const families = nativeFamilies({ snapshot: a100Mig, presence: presenceOf(a100Mig), hostname: '' });
    const gpu = { uuid: a100Mig.gpus[0]?.uuid };
    expect(seriesOf(families, 'gpu_mig_memory_used_bytes')).toEqual([
      [{ ...gpu, gpu_instance_id: '2' }, 21_081 * 2 ** 20],
      [{ ...gpu, gpu_instance_id: '3' }, 13 * 2 ** 20],
    ]);
    expect(seriesOf(families, 'gpu_mig_info')?.length).toBe(3);
  });

  it.each([
    { name: 'h200', snapshot: h200 },
    { name: 'a100-mig', snapshot: a100Mig },
    { name: 't4', snapshot: t4 },
  ])('uses, on $name, only the labels that the metrics catalogue names', ({ snapshot }) => {
    const families = nativeFamilies({ snapshot, presence: presenceOf(snapshot), hostname: 'h' });
    const definitions = new Map(nativeTopics.flatMap(({ definitions }) => definitions).map((one) => [one.name, one]));
    for (const { name, type, series } of families) {
      const definition = definitions.get(name);
      const allowed = definition?.labels ?? ['uuid', 'reason', 'policy', 'cause'];
      expect(series.flatMap(({ labels }) => Object.keys(labels)).filter((label) => !allowed.includes(label))).toEqual(
        [],
      );
      if (definition !== undefined) expect(type).toBe(definition.type);
    }
  });

  it('says a unit only where the name ends in it, as OpenMetrics asks', () => {
    const families = nativeFamilies({ snapshot: h200, presence: presenceOf(h200), hostname: 'h' });
    const wrong = families.filter(
      ({ name, unit }) => unit !== undefined && !name.replace(/_total$/, '').endsWith(`_${unit}`),
    );
    expect(wrong).toEqual([]);
  });
});
