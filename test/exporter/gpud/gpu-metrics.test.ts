import { describe, expect, it } from 'vitest';
import { gpuMetrics } from '../../../exporter/gpud/gpu-metrics.ts';
import { initialPresence } from '../../../exporter/presence.ts';
import { bareGpu, gpu, lost, readingAfter, snapshotOf, uuid, xid, xidText, zeroMs } from './fixtures.ts';

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('gpuMetrics', () => {
  it('gives the names that clients of /v1/gpu read', () => {
    const reading = readingAfter(snapshotOf([gpu(0)], { xids: [xid(79, 0)] }));
    expect(json(gpuMetrics(reading, zeroMs))).toEqual({
      timestamp: '2026-01-01T00:00:00Z',
      driver_version: '570.86.15',
      gpu_metrics: [
        {
          index: 0,
          uuid: uuid(0),
          name: 'NVIDIA H100 80GB HBM3',
          busID: '0000:0f:00.0',
          sn: '1654023000000',
          minorID: '0',
          temperature: 45,
          memory_temperature: 52,
          power_draw: 350.25,
          power_limit: 700,
          memory_used_mb: 1536,
          memory_total_mb: 81_559,
          gpu_utilization: 0,
          memory_utilization: 0,
          sm_occupancy: 25,
          clock_mhz: 1980,
          max_clock_mhz: 1980,
          ecc_errors: 0,
          ecc_corrected_errors: 2,
          xid_events: ['2026-01-01T00:00:00Z XID 79 (GPU has fallen off the bus)'],
          nvlink_status: 'healthy',
          processes: [{ pid: 4711, name: 'python3', memory_mb: 1024, gpu_index: 0 }],
        },
      ],
      unavailable_gpus: [],
    });
  });

  it('leaves out what a card cannot say', () => {
    expect(json(gpuMetrics(readingAfter(snapshotOf([bareGpu(0)])), zeroMs))).toEqual({
      timestamp: '2026-01-01T00:00:00Z',
      driver_version: '570.86.15',
      gpu_metrics: [
        {
          index: 0,
          uuid: uuid(0),
          name: 'NVIDIA GeForce GT 710',
          busID: '0000:00:00.0',
          temperature: 40,
          xid_events: [],
        },
      ],
      unavailable_gpus: [],
    });
  });

  it('names a GPU that is lost, apart from those with readings', () => {
    const one = snapshotOf([gpu(0)], { takenAtMs: zeroMs + 5000, health: { failures: [lost(1)] } });
    const { gpu_metrics, unavailable_gpus } = gpuMetrics(readingAfter(snapshotOf([gpu(0), gpu(1)]), one), zeroMs);
    expect(gpu_metrics.map(({ index }) => index)).toEqual([0]);
    expect(unavailable_gpus).toEqual([
      {
        index: 1,
        uuid: uuid(1),
        name: 'NVIDIA H100 80GB HBM3',
        busID: '0000:1f:00.0',
        reason: 'gpu_is_lost',
        last_seen: '2026-01-01T00:00:00Z',
      },
    ]);
  });

  it.each([
    [[true, true], 'healthy'],
    [[true, false], 'degraded'],
    [[false, false], 'inactive'],
    [[], undefined],
  ])('links %j: %s', (links, status) => {
    const nvlinks = links.map((isActive, link) => ({ link, isActive }));
    const [entry] = gpuMetrics(readingAfter(snapshotOf([gpu(0, { nvlinks })])), zeroMs).gpu_metrics;
    expect(entry?.nvlink_status).toBe(status);
  });

  it('shows only XIDs of the last three days', () => {
    const reading = readingAfter(snapshotOf([gpu(0)], { xids: [xid(79, 0)] }));
    expect(gpuMetrics(reading, zeroMs + 3 * 86_400_000).gpu_metrics[0]?.xid_events).toEqual([]);
  });

  it('answers while nothing was read, and says why', () => {
    const failure = { reason: 'error', message: 'no driver' } as const;
    const reading = { snapshot: undefined, failure, presence: initialPresence, slowdowns: [], xidText };
    expect(json(gpuMetrics(reading, zeroMs))).toEqual({
      timestamp: '2026-01-01T00:00:00Z',
      error: 'no driver',
      gpu_metrics: [],
      unavailable_gpus: [],
    });
  });
});
