import { describe, expect, it } from 'vitest';
import { causesIn, type Slowdown, slowdownsAfter, slowMinutes } from '../../../exporter/gpud/slowdown.ts';
import { gpu, minuteMs, snapshotOf, uuid, zeroMs } from './fixtures.ts';

const seenAt = (seconds: number, masks: readonly (number | undefined)[]) =>
  snapshotOf(
    masks.map((clocksEventReasons, index) => gpu(index, { clocksEventReasons })),
    { takenAtMs: zeroMs + seconds * 1000 },
  );

describe('causesIn', () => {
  it.each([
    [undefined, []],
    [0, []],
    [0x1 | 0x2 | 0x4 | 0x10 | 0x20 | 0x100, []],
    [0x8, ['hw_slowdown']],
    [0x8 | 0x40, ['hw_slowdown', 'hw_thermal_slowdown']],
    [0x80, ['hw_power_brake']],
  ])('%s: %j', (mask, causes) => {
    expect(causesIn(mask)).toEqual(causes);
  });
});

describe('slowdownsAfter', () => {
  it('notes each GPU once a minute', () => {
    const rounds = [seenAt(0, [0x8, 0x1]), seenAt(30, [0x48, 0x80]), seenAt(60, [0x8, undefined])];
    const seen = rounds.reduce<readonly Slowdown[]>(slowdownsAfter, []);
    expect(seen).toEqual([
      { atMs: zeroMs, uuid: uuid(0), causes: ['hw_slowdown'] },
      { atMs: zeroMs + 30_000, uuid: uuid(1), causes: ['hw_power_brake'] },
      { atMs: zeroMs + 60_000, uuid: uuid(0), causes: ['hw_slowdown'] },
    ]);
    expect(slowMinutes(seen, zeroMs + 60_000, 10 * minuteMs)).toBe(2);
  });

  it('gives the same list back when there is nothing new', () => {
    const seen = slowdownsAfter([], seenAt(0, [0x8]));
    expect(slowdownsAfter(seen, seenAt(59, [0x8]))).toBe(seen);
    expect(slowdownsAfter(seen, seenAt(60, [0]))).toBe(seen);
  });

  it('forgets after three days, and keeps no more than two thousand', () => {
    const minutes = Array.from({ length: 3 * 24 * 60 + 1 }, (_, minute) => seenAt(minute * 60, [0x8]));
    const seen = minutes.reduce<readonly Slowdown[]>(slowdownsAfter, []);
    expect([seen.length, seen.at(-1)?.atMs]).toEqual([2000, zeroMs + 3 * 24 * 60 * minuteMs]);
    const threeDaysLater = slowdownsAfter(slowdownsAfter([], seenAt(0, [0x8])), seenAt(3 * 86_400, [0x8]));
    expect(threeDaysLater.map(({ atMs }) => atMs)).toEqual([zeroMs + 3 * 86_400_000]);
  });
});
