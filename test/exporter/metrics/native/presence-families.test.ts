import { describe, expect, it } from 'vitest';
import { nativeFamilies } from '../../../../exporter/metrics/native/families.ts';
import { observe, type Presence, resumed } from '../../../../exporter/presence.ts';
import { afterLoss, beforeLoss, stillLost } from '../hardware/lost-gpu.ts';
import { presenceOf } from '../hardware/presence-of.ts';
import { seriesOf } from './series-of.ts';

const [kept, lost] = beforeLoss.gpus.map(({ uuid }) => ({ uuid }));
const startS = beforeLoss.takenAtMs / 1000;

const presence = presenceOf(beforeLoss, afterLoss, stillLost);
const families = nativeFamilies({ snapshot: stillLost, presence, hostname: 'node-7' });

/** What is known once a round has failed ten seconds later. */
const blind: Presence = observe(presence, { kind: 'failed', atMs: stillLost.takenAtMs + 10_000 });

describe('the presence of a lost GPU', () => {
  it('keeps gpu_up, with 0', () => {
    expect(seriesOf(families, 'gpu_up')).toEqual([
      [kept, 1],
      [lost, 0],
    ]);
  });

  it('says when it was last seen', () => {
    expect(seriesOf(families, 'gpu_last_seen_timestamp_seconds')).toEqual([
      [kept, startS + 20],
      [lost, startS],
    ]);
  });

  it('counts available, unavailable and unobserved time, every reason from the start', () => {
    expect(seriesOf(families, 'gpu_available_seconds_total')).toEqual([
      [kept, 20],
      [lost, 10],
    ]);
    expect(seriesOf(families, 'gpu_unavailable_seconds_total')?.slice(5)).toEqual([
      [{ ...lost, reason: 'missing' }, 0],
      [{ ...lost, reason: 'gpu_is_lost' }, 10],
      [{ ...lost, reason: 'reset_required' }, 0],
      [{ ...lost, reason: 'wedged' }, 0],
      [{ ...lost, reason: 'error' }, 0],
    ]);
    expect(seriesOf(families, 'gpu_unobserved_seconds_total')).toEqual([
      [kept, 0],
      [lost, 0],
    ]);
  });

  it('counts XIDs by code, the important ones from 0', () => {
    const counts = seriesOf(families, 'gpu_xid_errors_total') ?? [];
    const codes = [13, 31, 43, 45, 48, 63, 64, 74, 79, 92, 94, 95, 119, 120, 154];
    expect(counts).toEqual([
      ...codes.map((code) => [{ ...kept, xid: String(code) }, 0]),
      ...codes.map((code) => [{ ...lost, xid: String(code) }, code === 79 ? 1 : 0]),
    ]);
  });

  it('adds a code that is not among the important ones, in its place', () => {
    const snapshot = { ...stillLost, xids: [{ atMs: stillLost.takenAtMs, uuid: kept?.uuid, code: 61 }] };
    const odd = nativeFamilies({ snapshot, presence: presenceOf(beforeLoss, snapshot), hostname: '' });
    expect(seriesOf(odd, 'gpu_xid_errors_total')?.slice(4, 7)).toEqual([
      [{ ...kept, xid: '48' }, 0],
      [{ ...kept, xid: '61' }, 1],
      [{ ...kept, xid: '63' }, 0],
    ]);
  });

  it('says which XID was the last and when, of the GPUs that had one', () => {
    expect(seriesOf(families, 'gpu_last_xid_timestamp_seconds')).toEqual([[{ ...lost, xid: '79' }, startS + 4]]);
  });

  it('says which card it was, with what it last said of itself', () => {
    expect(seriesOf(families, 'gpu_info')?.[1]).toEqual([
      {
        ...lost,
        gpu: '1',
        pci_bus_id: '00000000:0F:00.0',
        model_name: 'NVIDIA A100-SXM4-80GB',
        serial: '1320921000201',
        driver_version: '570.86.15',
        nvml_version: '12.570.86.15',
        hostname: 'node-7',
      },
      1,
    ]);
  });

  it('counts the GPUs that should be there and those that are', () => {
    expect([seriesOf(families, 'gpu_expected'), seriesOf(families, 'gpu_present')]).toEqual([[[{}, 2]], [[{}, 1]]]);
  });

  it('expects as many GPUs as are configured', () => {
    const configured = nativeFamilies({ snapshot: stillLost, presence, hostname: '', expectedGpus: 8 });
    expect(seriesOf(configured, 'gpu_expected')).toEqual([[{}, 8]]);
  });

  it('says since when the counters of the driver run', () => {
    expect(seriesOf(families, 'gpu_counters_start_timestamp_seconds')).toEqual([[{}, startS]]);
  });
});

describe('presence that an earlier exporter left', () => {
  const atMs = stillLost.takenAtMs + 3_600_000;
  const started = resumed(presence, atMs);
  const after = [0, 1, 3].reduce((known, second): Presence => {
    const takenAtMs = atMs + 2000 + second * 1000;
    return observe(known, { kind: 'read', atMs: takenAtMs, snapshot: { ...stillLost, takenAtMs } });
  }, started);
  const restored = nativeFamilies({ snapshot: stillLost, presence: after, hostname: '' });

  it('begins to count time at 0, and keeps no time in which no exporter ran', () => {
    const names = ['gpu_available_seconds_total', 'gpu_unavailable_seconds_total', 'gpu_unobserved_seconds_total'];
    const first = nativeFamilies({ snapshot: undefined, presence: started, hostname: '' });
    const values = names.flatMap((name) => seriesOf(first, name)?.map(([, value]) => value));
    expect(values).toEqual(Array.from({ length: 14 }, () => 0));
  });

  it('counts what it watches itself', () => {
    expect(seriesOf(restored, 'gpu_available_seconds_total')).toEqual([
      [kept, 3],
      [lost, 0],
    ]);
    expect(seriesOf(restored, 'gpu_unavailable_seconds_total')?.[6]).toEqual([{ ...lost, reason: 'gpu_is_lost' }, 3]);
    expect(seriesOf(restored, 'gpu_unobserved_seconds_total')).toEqual([
      [kept, 2],
      [lost, 2],
    ]);
  });

  it('goes on counting XIDs', () => {
    const ofLost = seriesOf(restored, 'gpu_xid_errors_total')?.slice(15) ?? [];
    expect(ofLost.filter(([, value]) => value > 0)).toEqual([[{ ...lost, xid: '79' }, 1]]);
  });
});

describe('a GPU that was dead when it was first listed', () => {
  const { index, uuid, pciBusId, modelName } = beforeLoss.gpus[1] ?? {
    index: 0,
    uuid: '',
    pciBusId: '',
    modelName: '',
  };
  const failures = afterLoss.health.failures.map((failure) => ({
    ...failure,
    identity: { index, uuid, pciBusId, modelName },
  }));
  const deadFirst = { ...stillLost, health: { failures } };
  const known = nativeFamilies({ snapshot: deadFirst, presence: presenceOf(deadFirst), hostname: '' });

  it('has its series, is expected, and is not there', () => {
    expect(seriesOf(known, 'gpu_up')).toEqual([
      [lost, 0],
      [kept, 1],
    ]);
    expect([seriesOf(known, 'gpu_expected'), seriesOf(known, 'gpu_present')]).toEqual([[[{}, 2]], [[{}, 1]]]);
    expect(seriesOf(known, 'gpu_info')?.length).toBe(2);
  });
});

describe('presence while the driver as a whole cannot be read', () => {
  const unread = nativeFamilies({ snapshot: undefined, presence: blind, hostname: 'node-7' });

  it('says neither that a GPU is up nor that it is down', () => {
    expect([seriesOf(unread, 'gpu_up'), seriesOf(unread, 'gpu_present')]).toEqual([[], []]);
  });

  it('keeps every counter and every identity', () => {
    const names = ['gpu_available_seconds_total', 'gpu_last_seen_timestamp_seconds', 'gpu_info', 'gpu_expected'];
    expect(names.map((name) => seriesOf(unread, name)?.length)).toEqual([2, 2, 2, 1]);
  });

  it('publishes no reading', () => {
    expect(seriesOf(unread, 'gpu_temperature_celsius')).toEqual([]);
  });
});
