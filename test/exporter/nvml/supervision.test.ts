import { describe, expect, it } from 'vitest';
import {
  abandonedProcesses,
  dueForRetry,
  initialSupervision,
  leftOut,
  type SupervisionEvent,
  type SupervisionPolicy,
  type SupervisionState,
  step,
  whyNoStart,
} from '../../../exporter/source/nvml/supervision.ts';

const policy: SupervisionPolicy = {
  firstRetryMs: 5_000,
  longestRetryMs: 60_000,
  forgiveMs: 100_000,
  firstRestartMs: 500,
  longestRestartMs: 10_000,
  longestStuckRestartMs: 300_000,
  maxEnding: 3,
};

const after = (events: readonly SupervisionEvent[], from: SupervisionState = initialSupervision) =>
  events.reduce((state, event) => step(policy, state, event), from);

const wedged = (atMs: number, process: number, gpu?: string): SupervisionEvent => ({
  kind: 'lost',
  how: 'wedged',
  atMs,
  process,
  touching: { gpu, step: gpu === undefined ? 'init' : 'sensors' },
  message: `process ${process} hangs`,
  hadAnswered: true,
});
const crashed = (atMs: number, process: number, gpu?: string): SupervisionEvent & { kind: 'lost' } => ({
  kind: 'lost',
  how: 'crashed',
  atMs,
  process,
  touching: { gpu, step: 'sensors' },
  message: `process ${process} crashed`,
  hadAnswered: false,
});
const ended = (process: number): SupervisionEvent => ({ kind: 'ended', process });
const overdue = (process: number): SupervisionEvent => ({ kind: 'overdue', process });
const answered = (atMs: number): SupervisionEvent => ({ kind: 'answered', atMs });
const unavailable = (atMs: number, process: number, hadAnswered = false): SupervisionEvent => ({
  kind: 'unavailable',
  atMs,
  process,
  message: 'the kernel driver is not loaded',
  hadAnswered,
});

describe('a GPU that hangs the driver', () => {
  it('is left out from then on, while the next process may start at once', () => {
    const state = after([wedged(1_000, 1, 'GPU-a')]);
    expect(leftOut(state)).toEqual(['GPU-a']);
    expect(whyNoStart(policy, state, 1_000)).toBeUndefined();
    expect(state.restarts).toEqual({ wedged: 1, crashed: 0, driver_reloaded: 0 });
  });

  it.each([
    [1, 5_000],
    [2, 10_000],
    [3, 20_000],
    [4, 40_000],
    [5, 60_000],
    [9, 60_000],
  ])('is due again after loss %i in %i ms', (times, pauseMs) => {
    let state = initialSupervision;
    let atMs = 0;
    for (let loss = 1; loss <= times; loss += 1) {
      atMs = 1_000_000 * loss;
      state = after([wedged(atMs, loss, 'GPU-a'), ended(loss)], state);
    }
    expect(dueForRetry(state, atMs + pauseMs - 1)).toBeUndefined();
    expect(dueForRetry(state, atMs + pauseMs)).toBe('GPU-a');
  });

  it('is not tried again while the process that hangs on it is still there', () => {
    const held = after([wedged(0, 1, 'GPU-a'), overdue(1)]);
    expect(dueForRetry(held, 1_000_000)).toBeUndefined();
    expect(dueForRetry(after([ended(1)], held), 1_000_000)).toBe('GPU-a');
  });

  it('is read again once it has answered, and pauses longer when it hangs anew soon after', () => {
    const recovered = after([wedged(0, 1, 'GPU-a'), ended(1), { kind: 'recovered', atMs: 5_000, gpu: 'GPU-a' }]);
    expect(leftOut(recovered)).toEqual([]);
    const again = after([answered(90_000), wedged(100_000, 2, 'GPU-a'), ended(2)], recovered);
    expect(dueForRetry(again, 109_999)).toBeUndefined();
    expect(dueForRetry(again, 110_000)).toBe('GPU-a');
  });

  it('is forgiven when it has answered for long enough', () => {
    const forgiven = after([
      wedged(0, 1, 'GPU-a'),
      ended(1),
      { kind: 'recovered', atMs: 5_000, gpu: 'GPU-a' },
      answered(105_000),
    ]);
    expect(forgiven.suspects).toEqual({});
  });

  it('waits for its turn behind the one that is due for longer', () => {
    const state = after([wedged(2_000, 1, 'GPU-a'), wedged(1_000, 2, 'GPU-b'), ended(1), ended(2)]);
    expect(dueForRetry(state, 60_000)).toBe('GPU-b');
  });

  it('makes everything wait when it was touched although it is left out', () => {
    const state = after([wedged(0, 1, 'GPU-a'), wedged(2_000, 2, 'GPU-a')]);
    expect(whyNoStart(policy, state, 2_499)).toBe('process 2 hangs');
    expect(whyNoStart(policy, state, 2_500)).toBeUndefined();
  });
});

describe('a GPU that crashes the process', () => {
  it('is left out too, and due again without a process to wait for', () => {
    const state = after([crashed(0, 1, 'GPU-a')]);
    expect({ leftOut: leftOut(state), due: dueForRetry(state, 5_000), restarts: state.restarts }).toEqual({
      leftOut: ['GPU-a'],
      due: 'GPU-a',
      restarts: { wedged: 0, crashed: 1, driver_reloaded: 0 },
    });
  });
});

describe('a process that has done its work and is ended by something else', () => {
  it('is started again at once when the one before it was stopped while it waited, unless that never answered', () => {
    const stopped = { ...crashed(0, 1), how: 'wedged', touching: { step: 'idle' } } as const;
    const hadAnswered = after([{ ...stopped, hadAnswered: true }]);
    expect(whyNoStart(policy, hadAnswered, 0)).toBeUndefined();
    expect([hadAnswered.ending, hadAnswered.restarts.wedged]).toEqual([{ 1: false }, 1]);
    expect(whyNoStart(policy, after([stopped]), 0)).toBe('process 1 crashed');
  });

  it('is replaced at once, and counted', () => {
    const state = after([{ ...crashed(0, 1), hadAnswered: true }]);
    expect(whyNoStart(policy, state, 0)).toBeUndefined();
    expect(state.restarts.crashed).toBe(1);
  });
});

describe('a driver that does not answer as a whole', () => {
  it.each([
    ['hangs while it is initialised', (atMs: number, process: number) => wedged(atMs, process)],
    ['crashes', (atMs: number, process: number) => crashed(atMs, process)],
    ['says that it cannot be used', (atMs: number, process: number) => unavailable(atMs, process)],
  ])('and %s is asked ever more rarely, up to every ten seconds', (_what, lose) => {
    let state = initialSupervision;
    const pauses = [1, 2, 3, 4, 5, 6, 7].map((process) => {
      state = after([lose(0, process), ended(process)], state);
      return state.outage?.retryAtMs;
    });
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it('says why until the pause is over', () => {
    const state = after([unavailable(1_000, 1), ended(1)]);
    expect(whyNoStart(policy, state, 1_499)).toBe('the kernel driver is not loaded');
    expect(whyNoStart(policy, state, 1_500)).toBeUndefined();
  });

  it('is forgotten by the first answer', () => {
    const state = after([unavailable(0, 1), unavailable(500, 2), answered(2_000), unavailable(3_000, 3)]);
    expect(state.outage).toEqual({ message: 'the kernel driver is not loaded', times: 1, retryAtMs: 3_500 });
  });

  it('counts as reloaded when the process had read GPUs before', () => {
    expect(after([unavailable(0, 1, true)]).restarts.driver_reloaded).toBe(1);
    expect(after([unavailable(0, 1, false)]).restarts.driver_reloaded).toBe(0);
  });
});

describe('a process that cannot be killed', () => {
  it('counts as abandoned until it has ended at last', () => {
    const stuck = after([wedged(0, 1), wedged(0, 2), overdue(1)]);
    expect(abandonedProcesses(stuck)).toBe(1);
    expect(abandonedProcesses(after([ended(1)], stuck))).toBe(0);
  });

  it('is none of them when it ends in time', () => {
    expect(abandonedProcesses(after([wedged(0, 1), ended(1), overdue(1)]))).toBe(0);
  });

  it('makes the pauses grow to minutes', () => {
    let state = after([wedged(0, 1), overdue(1)]);
    const pauses = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((process) => {
      state = after([unavailable(0, process), ended(process)], state);
      return state.outage?.retryAtMs;
    });
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]);
  });

  it('stops the starting of more when there are too many, until one ends', () => {
    const full = after([wedged(0, 1), wedged(0, 2), wedged(0, 3), overdue(1), overdue(2)]);
    expect(whyNoStart(policy, full, 1_000_000)).toBe(
      '3 driver processes are stuck in the driver and cannot be killed, and no more are started: reset the GPUs or reboot the machine.',
    );
    expect(whyNoStart(policy, after([ended(2)], full), 1_000_000)).toBeUndefined();
  });
});
