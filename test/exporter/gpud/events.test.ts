import { describe, expect, it } from 'vitest';
import { events } from '../../../exporter/gpud/events.ts';
import { componentNames } from '../../../exporter/gpud/states.ts';
import { gpu, lost, readingAfter, snapshotOf, uuid, xid, zeroMs } from './fixtures.ts';

const at = (second: number) => zeroMs + second * 1000;

const history = readingAfter(
  snapshotOf([gpu(0), gpu(1)], { takenAtMs: at(0), counterEpoch: 'a' }),
  snapshotOf([gpu(0)], {
    takenAtMs: at(10),
    counterEpoch: 'a',
    health: { failures: [lost(1)] },
    xids: [xid(79, 1, at(9)), xid(13, 0, at(8)), { atMs: at(7), uuid: undefined, code: 999 }],
  }),
  snapshotOf([gpu(0), gpu(1)], { takenAtMs: at(60), counterEpoch: 'b' }),
);
const reading = {
  ...history,
  slowdowns: [{ atMs: at(30), uuid: uuid(0), causes: ['hw_slowdown', 'hw_power_brake'] as const }],
};

describe('events', () => {
  it('tells what happened, by component, the newest first', () => {
    const names = ['accelerator-nvidia-error-xid', 'accelerator-nvidia-gpu-counts', 'accelerator-nvidia-hw-slowdown'];
    const bounds = { startTime: '2026-01-01T00:00:00.000Z', endTime: '2026-01-01T00:01:00.000Z' };
    const xids = 'accelerator-nvidia-error-xid';
    const counts = 'accelerator-nvidia-gpu-counts';
    const time = (second: string) => `2026-01-01T00:${second}Z`;
    expect(events(reading, { names, fromMs: at(0), toMs: at(60) })).toEqual([
      {
        component: xids,
        ...bounds,
        events: [
          {
            component: xids,
            time: time('01:00'),
            name: 'driver_loaded',
            type: 'Info',
            message: 'the driver was loaded anew; its counters started again',
          },
          {
            component: xids,
            time: time('00:09'),
            name: 'error_xid',
            type: 'Fatal',
            message: `XID 79 (GPU has fallen off the bus) on ${uuid(1)} at 0000:1f:00.0`,
          },
          {
            component: xids,
            time: time('00:08'),
            name: 'error_xid',
            type: 'Warning',
            message: `XID 13 (text of 13) on ${uuid(0)} at 0000:0f:00.0`,
          },
          {
            component: xids,
            time: time('00:07'),
            name: 'error_xid',
            type: 'Unknown',
            message: 'XID 999 (text of 999) on an unknown GPU',
          },
        ],
      },
      {
        component: counts,
        ...bounds,
        events: [
          { component: counts, time: time('01:00'), name: 'gpu_returned', type: 'Info', message: `${uuid(1)} is back` },
          {
            component: counts,
            time: time('00:10'),
            name: 'gpu_lost',
            type: 'Fatal',
            message: `${uuid(1)} is gone: gpu_is_lost`,
          },
          {
            component: counts,
            time: time('00:00'),
            name: 'gpu_appeared',
            type: 'Info',
            message: `${uuid(0)} was seen for the first time`,
          },
          {
            component: counts,
            time: time('00:00'),
            name: 'gpu_appeared',
            type: 'Info',
            message: `${uuid(1)} was seen for the first time`,
          },
        ],
      },
      {
        component: 'accelerator-nvidia-hw-slowdown',
        ...bounds,
        events: [
          {
            component: 'accelerator-nvidia-hw-slowdown',
            time: time('00:30'),
            name: 'hw_slowdown',
            type: 'Warning',
            message: `${uuid(0)}: hw_slowdown, hw_power_brake`,
          },
        ],
      },
    ]);
  });

  it.each([
    [at(10), at(59), ['gpu_lost']],
    [at(10), at(10), ['gpu_lost']],
    [at(11), at(60), ['gpu_returned']],
    [at(61), at(99), []],
  ])('keeps to the span, with both its ends: %i to %i', (fromMs, toMs, expected) => {
    const [counts] = events(reading, { names: ['accelerator-nvidia-gpu-counts'], fromMs, toMs });
    expect(counts?.events.map(({ name }) => name)).toEqual(expected);
  });

  it('has an entry, if an empty one, for every component', () => {
    const all = events(reading, { names: componentNames, fromMs: at(100), toMs: at(101) });
    expect(all.map(({ component }) => component)).toEqual(componentNames);
    expect(all.every((entry) => entry.events.length === 0)).toBe(true);
  });
});
