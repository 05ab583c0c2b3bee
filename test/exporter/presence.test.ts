import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  forget,
  forgottenSince,
  initialPresence,
  observe,
  type Presence,
  presenceRules,
  type Round,
  resumed,
  type SpentTime,
} from '../../exporter/presence.ts';
import { decodePresence, encodePresence } from '../../exporter/presence-record.ts';
import { noTime, spentSinceStart } from '../../exporter/presence-time.ts';
import type { GpuSample, ReadFailure, Snapshot, XidEvent } from '../../exporter/snapshot.ts';

const gpu = (uuid: string, rest: Partial<GpuSample> = {}): GpuSample => ({
  index: 0,
  uuid,
  pciBusId: '00000000:07:00.0',
  modelName: 'NVIDIA A100-SXM4-80GB',
  ...rest,
});

const failure = (uuid: string | undefined, reason: string): ReadFailure => ({ uuid, reason, message: reason });

/** A failure of a GPU that the driver still names. */
const named = (uuid: string, reason: string): ReadFailure => ({ ...failure(uuid, reason), identity: gpu(uuid) });

interface Reading {
  readonly failures?: readonly ReadFailure[];
  readonly xids?: readonly XidEvent[];
  readonly counterEpoch?: string;
}

/** A round at `atMs` that read these GPUs an instant before. */
function read(atMs: number, uuids: readonly string[], { failures = [], ...rest }: Reading = {}): Round {
  const gpus = uuids.map((uuid) => gpu(uuid));
  return {
    kind: 'read',
    atMs,
    snapshot: { takenAtMs: atMs - 5, driverVersion: '1', gpus, health: { failures }, ...rest },
  };
}

const failed = (atMs: number): Round => ({ kind: 'failed', atMs });

const fold = (rounds: readonly Round[], from = initialPresence, rules = presenceRules): Presence =>
  rounds.reduce((presence, round) => observe(presence, round, rules), from);

const time = ({ gpus }: Presence, uuid: string) => {
  const { state, reason, availableMs, unavailableMs, unobservedMs } = gpus[uuid] ?? {};
  const spent = Object.entries(unavailableMs ?? {}).filter(([, ms]) => ms > 0);
  return { state, reason, availableMs, unavailableMs: Object.fromEntries(spent), unobservedMs };
};

describe('observe', () => {
  it('remembers who a GPU is and when it was seen', () => {
    const presence = fold([read(1000, ['A']), read(2000, ['A'])]);
    expect(presence).toEqual({
      gpus: {
        A: {
          identity: { index: 0, uuid: 'A', pciBusId: '00000000:07:00.0', modelName: 'NVIDIA A100-SXM4-80GB' },
          state: 'available',
          reason: undefined,
          lostSinceMs: undefined,
          firstSeenMs: 995,
          lastSeenMs: 1995,
          availableMs: 1000,
          unavailableMs: { missing: 0, gpu_is_lost: 0, reset_required: 0, wedged: 0, error: 0 },
          unobservedMs: 0,
          xids: {},
          lastXid: undefined,
        },
      },
      events: [{ kind: 'appeared', atMs: 1000, uuid: 'A' }],
      counterEpoch: undefined,
      atMs: 2000,
    });
  });

  it('gives the time between two rounds to the state the earlier one found', () => {
    const rounds = [
      read(0, ['A', 'B']),
      read(1000, ['B']),
      failed(3000),
      read(7000, ['A', 'B']),
      read(8000, ['A', 'B']),
    ];
    const presence = fold(rounds);
    expect(time(presence, 'A')).toEqual({
      state: 'available',
      reason: undefined,
      availableMs: 2000,
      unavailableMs: { missing: 2000 },
      unobservedMs: 4000,
    });
    expect(time(presence, 'B')).toMatchObject({ availableMs: 4000, unavailableMs: {}, unobservedMs: 4000 });
  });

  it.each([
    { reason: 'gpu_is_lost', as: 'gpu_is_lost' },
    { reason: 'reset_required', as: 'reset_required' },
    { reason: 'wedged', as: 'wedged' },
    { reason: 'irq_issue', as: 'error' },
    { reason: 'toString', as: 'error' },
  ])('takes a GPU with the failure $reason for unavailable: $as', ({ reason, as }) => {
    const lost = read(1000, ['B'], { failures: [failure('A', reason)] });
    const presence = fold([read(0, ['A', 'B']), lost, read(1500, ['B'], { failures: [failure('A', reason)] })]);
    expect(time(presence, 'A')).toMatchObject({ state: 'unavailable', reason: as, unavailableMs: { [as]: 500 } });
    expect(presence.gpus.A).toMatchObject({ lastSeenMs: -5, lostSinceMs: 1000 });
    expect(time(presence, 'B')).toMatchObject({ state: 'available', availableMs: 1500 });
  });

  it('takes a GPU that failed for unavailable also when some of it could be read', () => {
    const presence = fold([read(0, ['A'], { failures: [failure('A', 'reset_required')] })]);
    expect(presence.gpus.A).toMatchObject({ state: 'unavailable', reason: 'reset_required', lastSeenMs: -5 });
    expect(presence.events.map(({ kind }) => kind)).toEqual(['appeared', 'lost']);
  });

  it('says nothing of a GPU that was never seen, nor by a failure that names none', () => {
    const presence = fold([read(0, ['A'], { failures: [failure('X', 'gpu_is_lost'), failure(undefined, 'error')] })]);
    expect(Object.keys(presence.gpus)).toEqual(['A']);
    expect(presence.gpus.A?.state).toBe('available');
  });

  it('knows a GPU that is dead at the first reading, if the driver says which it is', () => {
    const failures = [named('A', 'irq_issue'), named('A', 'gpu_is_lost')];
    const dead = fold([read(1000, ['B'], { failures })]);
    expect(dead.gpus.A).toEqual({
      identity: { index: 0, uuid: 'A', pciBusId: '00000000:07:00.0', modelName: 'NVIDIA A100-SXM4-80GB' },
      state: 'unavailable',
      reason: 'gpu_is_lost',
      lostSinceMs: 1000,
      firstSeenMs: 995,
      lastSeenMs: 995,
      availableMs: 0,
      unavailableMs: { missing: 0, gpu_is_lost: 0, reset_required: 0, wedged: 0, error: 0 },
      unobservedMs: 0,
      xids: {},
      lastXid: undefined,
    });
    expect(dead.events).toEqual([
      { kind: 'appeared', atMs: 1000, uuid: 'A' },
      { kind: 'appeared', atMs: 1000, uuid: 'B' },
      { kind: 'lost', atMs: 1000, uuid: 'A', reason: 'gpu_is_lost' },
    ]);
    const repaired = fold([read(3000, ['B'], { failures }), read(4000, ['A', 'B'])], dead);
    expect(time(repaired, 'A')).toMatchObject({ state: 'available', unavailableMs: { gpu_is_lost: 3000 } });
    expect(repaired.gpus.A).toMatchObject({ firstSeenMs: 995, lastSeenMs: 3995 });
  });

  it('tells losses and returns once each, and not after rounds that could read nothing', () => {
    const wedged = { failures: [failure('A', 'wedged')] };
    const presence = fold([
      read(0, ['A']),
      failed(1),
      read(2, ['A']),
      read(3, []),
      read(4, [], wedged),
      failed(5),
      read(6, [], wedged),
      read(7, ['A']),
    ]);
    expect(presence.events).toEqual([
      { kind: 'appeared', atMs: 0, uuid: 'A' },
      { kind: 'lost', atMs: 3, uuid: 'A', reason: 'missing' },
      { kind: 'returned', atMs: 7, uuid: 'A' },
    ]);
    expect(presence.gpus.A?.lostSinceMs).toBeUndefined();
  });

  it('counts a pause longer than the bound as unobserved, whatever was found before it', () => {
    const rules = { ...presenceRules, maxGapMs: 60_000 };
    expect(time(fold([read(0, ['A']), read(60_000, ['A'])], initialPresence, rules), 'A').availableMs).toBe(60_000);
    const paused = fold([read(0, ['A']), read(60_001, ['A'])], initialPresence, rules);
    expect(time(paused, 'A')).toMatchObject({ state: 'available', availableMs: 0, unobservedMs: 60_001 });
  });

  it('neither adds nor takes away when the clock is set back', () => {
    const presence = fold([read(5000, ['A']), read(6000, ['A']), read(1000, ['A']), read(1500, ['A'])]);
    expect(time(presence, 'A')).toMatchObject({ availableMs: 1500, unobservedMs: 0 });
    expect(presence.gpus.A).toMatchObject({ firstSeenMs: 4995, lastSeenMs: 1495 });
  });

  it('follows a GPU to another slot, and keeps the identity object while nothing changes', () => {
    const at = (atMs: number, sample: GpuSample): Round => ({
      kind: 'read',
      atMs,
      snapshot: { takenAtMs: atMs, driverVersion: '1', gpus: [sample], health: { failures: [] } },
    });
    const first = fold([at(0, gpu('A', { index: 3, serial: '77', powerWatts: 100 }))]);
    const second = observe(first, at(1, gpu('A', { index: 3, serial: '77', powerWatts: 200 })));
    expect(second.gpus.A?.identity).toBe(first.gpus.A?.identity);
    const moved = observe(second, at(2, gpu('A', { index: 2, serial: '77' })));
    expect(moved.gpus.A?.identity).toMatchObject({ index: 2, uuid: 'A', serial: '77' });
    expect(moved.gpus.A?.identity).not.toHaveProperty('powerWatts');
  });

  it('counts XIDs by code and GPU, and keeps those that name no known GPU as events only', () => {
    const xid = (uuid: string | undefined, code: number, atMs: number) => ({ uuid, code, atMs });
    const xids = [xid('A', 31, 9), xid('A', 79, 8), xid('A', 31, 7), xid(undefined, 13, 6), xid('X', 48, 5)];
    const presence = fold([read(0, ['A']), read(10, ['A'], { xids })]);
    expect(presence.gpus.A).toMatchObject({ xids: { 31: 2, 79: 1 }, lastXid: { code: 31, atMs: 9 } });
    expect(presence.events.slice(1)).toEqual([
      { kind: 'xid', atMs: 5, uuid: 'X', code: 48 },
      { kind: 'xid', atMs: 6, uuid: undefined, code: 13 },
      { kind: 'xid', atMs: 7, uuid: 'A', code: 31 },
      { kind: 'xid', atMs: 8, uuid: 'A', code: 79 },
      { kind: 'xid', atMs: 9, uuid: 'A', code: 31 },
    ]);
  });

  it('tells when the counters of the driver started anew, but not at the first epoch', () => {
    const epoch = (counterEpoch?: string) => (counterEpoch === undefined ? {} : { counterEpoch });
    const rounds = [epoch('a'), epoch('a'), epoch(), epoch('b')].map((rest, index) => read(index * 10, [], rest));
    expect(fold(rounds.slice(0, 3)).counterEpoch).toEqual({ id: 'a', sinceMs: -5 });
    const presence = fold(rounds);
    expect(presence.counterEpoch).toEqual({ id: 'b', sinceMs: 25 });
    expect(presence.events).toEqual([{ kind: 'counters-restarted', atMs: 30, epoch: 'b' }]);
  });

  it('keeps the newest events only', () => {
    const rounds = [0, 1, 2, 3].map((atMs) => read(atMs, atMs % 2 === 0 ? ['A'] : []));
    const presence = fold(rounds, initialPresence, { ...presenceRules, maxEvents: 2 });
    expect(presence.events.map(({ kind, atMs }) => [kind, atMs])).toEqual([
      ['returned', 2],
      ['lost', 3],
    ]);
  });
});

describe('forgetting', () => {
  const rules = { ...presenceRules, maxGapMs: 1e9, forgetAfterMs: 1000 };

  it('drops a GPU that has been missing for long enough, and says which', () => {
    const before = fold([read(0, ['A', 'B']), read(10, ['B']), read(1009, ['B'])], initialPresence, rules);
    expect(Object.keys(before.gpus)).toEqual(['A', 'B']);
    const after = observe(before, read(1010, ['B']), rules);
    expect(Object.keys(after.gpus)).toEqual(['B']);
    expect(forgottenSince(before, after)).toEqual([expect.objectContaining({ identity: before.gpus.A?.identity })]);
  });

  it('never drops a GPU that the driver still lists, nor any while nothing can be read', () => {
    const lost = { failures: [failure('A', 'gpu_is_lost')] };
    const presence = fold(
      [read(0, ['A', 'B']), read(10, [], lost), read(9000, [], lost), failed(20_000)],
      undefined,
      rules,
    );
    expect(Object.keys(presence.gpus)).toEqual(['A']);
  });

  it('drops those missing longest when there are too many, but none that is there', () => {
    const bounded = { ...presenceRules, maxGpus: 2 };
    const rounds = [read(0, ['A']), read(1, ['B']), read(2, ['C'])];
    expect(Object.keys(fold(rounds, initialPresence, bounded).gpus)).toEqual(['B', 'C']);
    expect(Object.keys(fold([read(0, ['A', 'B', 'C'])], initialPresence, bounded).gpus)).toEqual(['A', 'B', 'C']);
  });

  it('drops the one it is told to', () => {
    const presence = fold([read(0, ['A', 'B'])]);
    expect(Object.keys(forget(presence, 'A').gpus)).toEqual(['B']);
    expect(forgottenSince(presence, forget(presence, 'X'))).toEqual([]);
  });
});

const uuids = ['A', 'B', 'C', 'D'];
const reasons = ['missing', 'gpu_is_lost', 'reset_required', 'wedged', 'error', 'irq_issue'];

const readingArbitrary: fc.Arbitrary<Omit<Snapshot, 'takenAtMs'>> = fc.record({
  driverVersion: fc.constant('1'),
  gpus: fc.subarray(uuids).map((found) => found.map((uuid) => gpu(uuid))),
  health: fc.record({
    failures: fc.array(
      fc
        .tuple(fc.constantFrom(...uuids), fc.constantFrom(...reasons), fc.constantFrom(failure, named))
        .map(([uuid, reason, failing]) => failing(uuid, reason)),
      { maxLength: 4 },
    ),
  }),
  xids: fc.array(fc.record({ uuid: fc.constantFrom(...uuids), code: fc.nat({ max: 9 }), atMs: fc.nat({ max: 100 }) }), {
    maxLength: 4,
  }),
});

/** Pauses of any length and sign: clocks are set, machines sleep. */
const pauseArbitrary = fc.oneof(
  fc.nat({ max: 5000 }),
  fc.integer({ min: -50_000, max: 200_000 }),
  fc.double({ min: 0, max: 10, noNaN: true }),
);

const roundsArbitrary = fc
  .array(fc.tuple(pauseArbitrary, fc.option(readingArbitrary)), { maxLength: 30 })
  .map((steps) => {
    let atMs = 1_000_000;
    return steps.map(([pauseMs, reading]): Round => {
      atMs += pauseMs;
      if (reading === null) return failed(atMs);
      return { kind: 'read', atMs, snapshot: { ...reading, takenAtMs: atMs } };
    });
  });

const totalMs = ({ availableMs, unobservedMs, unavailableMs }: SpentTime): number =>
  Object.values(unavailableMs).reduce((sum, ms) => sum + ms, availableMs + unobservedMs);

const lifetimeMs = ({ gpus }: Presence, uuid: string): number => totalMs(gpus[uuid] ?? noTime);

const sinceStartMs = ({ gpus }: Presence, uuid: string): number => {
  const found = gpus[uuid];
  return found === undefined ? 0 : totalMs(spentSinceStart(found));
};

/** Every counter of one GPU, by name. */
const counters = (presence: Presence, uuid: string): Readonly<Record<string, number>> => {
  const { availableMs = 0, unobservedMs = 0, unavailableMs = {}, xids = {} } = presence.gpus[uuid] ?? {};
  return { availableMs, unobservedMs, ...unavailableMs, ...xids };
};

/** The sum of the pauses since the GPU was first seen, those in which the clock went forward. */
function watchedMs(rounds: readonly Round[], uuid: string): number {
  const first = rounds.findIndex(
    (round) =>
      round.kind === 'read' &&
      [...round.snapshot.gpus, ...round.snapshot.health.failures.flatMap(({ identity }) => identity ?? [])].some(
        (found) => found.uuid === uuid,
      ),
  );
  return first < 0 ? 0 : forwardMs(rounds.slice(first));
}

/** The sum of the pauses between these rounds in which the clock went forward. */
function forwardMs(rounds: readonly Round[]): number {
  const instants = rounds.map(({ atMs }) => Math.floor(atMs));
  return instants.slice(1).reduce((sum, atMs, index) => sum + Math.max(0, atMs - (instants[index] ?? 0)), 0);
}

describe('for any course of events', () => {
  it('available, unavailable and unobserved time add up to the time since a GPU was first seen, exactly', () => {
    fc.assert(
      fc.property(roundsArbitrary, fc.constantFrom(...uuids), (rounds, uuid) => {
        const presence = fold(rounds);
        expect(lifetimeMs(presence, uuid)).toBe(watchedMs(rounds, uuid));
        expect(sinceStartMs(presence, uuid)).toBe(watchedMs(rounds, uuid));
      }),
    );
  });

  it('no counter ever falls', () => {
    fc.assert(
      fc.property(roundsArbitrary, fc.constantFrom(...uuids), (rounds, uuid) => {
        let presence = initialPresence;
        for (const round of rounds) {
          const before = counters(presence, uuid);
          presence = observe(presence, round);
          const after = counters(presence, uuid);
          expect(Object.entries(before).filter(([name, value]) => (after[name] ?? 0) < value)).toEqual([]);
        }
      }),
    );
  });

  it('the order in which a source lists GPUs, failures and XIDs changes nothing', () => {
    const reversed = (round: Round): Round => {
      if (round.kind === 'failed') return round;
      const { gpus, health, xids = [] } = round.snapshot;
      const failures = health.failures.toReversed();
      return {
        ...round,
        snapshot: { ...round.snapshot, gpus: gpus.toReversed(), health: { failures }, xids: xids.toReversed() },
      };
    };
    fc.assert(
      fc.property(roundsArbitrary, (rounds) => {
        expect(fold(rounds.map(reversed))).toEqual(fold(rounds));
      }),
    );
  });

  it('a restart through the state file changes nothing but that the time without an exporter is unobserved', () => {
    const gapArbitrary = fc.tuple(fc.nat({ max: 500_000 }), fc.nat({ max: 500_000 }));
    fc.assert(
      fc.property(roundsArbitrary, gapArbitrary, readingArbitrary, (rounds, [gapMs, startupMs], reading) => {
        const stopped = fold(rounds);
        const startMs = (stopped.atMs ?? 0) + gapMs;
        const atMs = startMs + startupMs;
        const restarted = observe(restart(stopped, startMs), {
          kind: 'read',
          atMs,
          snapshot: { ...reading, takenAtMs: atMs },
        });
        for (const uuid of Object.keys(stopped.gpus)) {
          const { unobservedMs: before = 0, ...others } = counters(stopped, uuid);
          const { unobservedMs: after = 0, ...now } = counters(restarted, uuid);
          expect(after - before).toBe(gapMs + startupMs);
          expect(now).toMatchObject(withoutXids(others));
        }
      }),
    );
  });

  it('the time since the start begins at 0 with each exporter, and adds up to its own life, exactly', () => {
    fc.assert(
      fc.property(roundsArbitrary, roundsArbitrary, fc.nat({ max: 500_000 }), (rounds, later, gapMs) => {
        const stopped = fold(rounds);
        const startMs = (stopped.atMs ?? 0) + gapMs;
        const started = restart(stopped, startMs);
        const begin = failed(startMs);
        const shifted = [begin, ...later.map((round) => ({ ...round, atMs: round.atMs - 1_000_000 + startMs }))];
        const ended = fold(shifted, started);
        for (const uuid of Object.keys(stopped.gpus)) {
          expect(sinceStartMs(started, uuid)).toBe(0);
          expect(sinceStartMs(ended, uuid)).toBe(forwardMs(shifted));
          expect(lifetimeMs(ended, uuid)).toBe(lifetimeMs(stopped, uuid) + gapMs + sinceStartMs(ended, uuid));
        }
      }),
    );
  });
});

function restart(presence: Presence, atMs: number): Presence {
  const record = decodePresence(encodePresence(presence));
  if (record.kind === 'unusable') throw new Error(record.problem);
  return resumed(record.presence, atMs);
}

// XIDs are counted in the round after the restart too.
function withoutXids(all: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => Number.isNaN(Number(name))));
}
