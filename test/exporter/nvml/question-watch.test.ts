import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Request } from '../../../exporter/source/nvml/protocol.ts';
import { createQuestionWatch, type Outcome, type TimeLimits } from '../../../exporter/source/nvml/question-watch.ts';

const limits = { gpuMs: 2_000, driverMs: 30_000, endMs: 5_000 };
const read = { kind: 'read', skip: [] } as const;
const refusal = (id: number) =>
  ({ kind: 'unavailable', id, reason: 'driver_not_loaded', message: 'not loaded' }) as const;

/** A watch with one question under way. */
function ask(given: TimeLimits = limits) {
  const sent: Request[] = [];
  const watch = createQuestionWatch(given, (request) => sent.push(request));
  const outcomes: Outcome[] = [];
  const askAgain = () => void watch.ask(read).then((outcome) => outcomes.push(outcome));
  askAgain();
  const touch = (gpu: string | undefined, step: string) => watch.report({ kind: 'touching', gpu, step });
  return { watch, sent, outcomes, touch, askAgain };
}

/** The same with its second question, the first one being answered. */
async function askTwice(given: TimeLimits = limits) {
  const asked = ask(given);
  asked.watch.report(refusal(1));
  await vi.advanceTimersByTimeAsync(0);
  asked.askAgain();
  return asked;
}

describe('createQuestionWatch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('numbers the questions and takes the answer to the last one', async () => {
    const { watch, sent, outcomes, askAgain } = ask();
    watch.report(refusal(1));
    await vi.advanceTimersByTimeAsync(0);
    askAgain();
    watch.report(refusal(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(outcomes).toHaveLength(1);
    watch.report(refusal(2));
    await vi.advanceTimersByTimeAsync(0);
    expect(outcomes).toEqual([
      { kind: 'answered', answer: refusal(1) },
      { kind: 'answered', answer: refusal(2) },
    ]);
    expect(sent).toEqual([
      { ...read, id: 1 },
      { ...read, id: 2 },
    ]);
  });

  it('calls a GPU wedged that takes longer than it may, however many steps it is in', async () => {
    const { outcomes, touch } = await askTwice();
    touch('GPU-a', 'sensors');
    await vi.advanceTimersByTimeAsync(1_500);
    touch('GPU-a', 'mig');
    await vi.advanceTimersByTimeAsync(499);
    expect(outcomes).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(outcomes.slice(1)).toEqual([
      {
        kind: 'wedged',
        touching: { gpu: 'GPU-a', step: 'mig' },
        message: 'GPU-a did not answer within 2 s (mig).',
      },
    ]);
  });

  it('gives a GPU twice the time until the process has answered once: it may have to be woken', async () => {
    const { outcomes, touch } = ask();
    touch('GPU-a', 'enumeration');
    await vi.advanceTimersByTimeAsync(3_999);
    expect(outcomes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(outcomes).toMatchObject([{ message: 'GPU-a did not answer within 4 s (enumeration).' }]);
  });

  it('gives each GPU its own time', async () => {
    const { outcomes, touch } = await askTwice();
    for (const gpu of ['GPU-a', 'GPU-b', 'GPU-c', 'GPU-d']) {
      touch(gpu, 'sensors');
      await vi.advanceTimersByTimeAsync(1_750);
    }
    expect(outcomes).toHaveLength(1);
  });

  it('gives the driver as a whole more time, and the start of the process as much', async () => {
    const { outcomes } = ask();
    await vi.advanceTimersByTimeAsync(29_750);
    expect(outcomes).toEqual([]);
    await vi.advanceTimersByTimeAsync(250);
    expect(outcomes).toEqual([
      { kind: 'wedged', touching: { step: 'starting' }, message: 'The driver did not answer within 30 s (starting).' },
    ]);
  });

  it.each([
    [2_000, 4],
    [200, 2],
    [20_000, 30],
  ])(
    'calls a process frozen that does not take up a question: a GPU may take %i ms, this %i s',
    async (gpuMs, seconds) => {
      const { outcomes, touch } = await askTwice({ ...limits, gpuMs });
      touch(undefined, 'idle');
      await vi.advanceTimersByTimeAsync(seconds * 1_000 - 1);
      expect(outcomes).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(outcomes.slice(1)).toEqual([
        {
          kind: 'wedged',
          touching: { step: 'idle' },
          message: `The driver process did not take up the question within ${seconds} s.`,
        },
      ]);
    },
  );

  it('gives a question that was taken up the time of the driver', async () => {
    const { outcomes, touch } = await askTwice();
    touch(undefined, 'idle');
    await vi.advanceTimersByTimeAsync(3_750);
    touch(undefined, 'count');
    await vi.advanceTimersByTimeAsync(29_750);
    expect(outcomes).toHaveLength(1);
  });

  it('gives each step of the driver its own time', async () => {
    const { outcomes, touch } = ask();
    for (const step of ['loading the library', 'nvmlInit_v2', 'count']) {
      touch(undefined, step);
      await vi.advanceTimersByTimeAsync(29_750);
    }
    expect(outcomes).toEqual([]);
  });

  it('does not blame a GPU for a pause of the whole machine', async () => {
    const { watch, outcomes, touch } = ask();
    touch('GPU-a', 'sensors');
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersToNextTimerAsync();
    expect(outcomes).toEqual([]);
    watch.report(refusal(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(outcomes).toMatchObject([{ kind: 'answered' }]);
  });

  it('says what was touched when the process crashed, and answers every later question with that', async () => {
    const { watch, sent, outcomes, touch, askAgain } = ask();
    touch('GPU-a', 'sensors');
    watch.lost('The driver process was ended by SIGSEGV.', false);
    watch.lost('Said twice.', false);
    await vi.advanceTimersByTimeAsync(0);
    askAgain();
    await vi.advanceTimersByTimeAsync(0);
    const crashed = {
      kind: 'crashed',
      touching: { gpu: 'GPU-a', step: 'sensors' },
      message: 'The driver process was ended by SIGSEGV.',
    };
    expect(outcomes).toEqual([crashed, crashed]);
    expect(sent).toHaveLength(1);
  });

  it('blames no GPU when the process was ended from outside', async () => {
    const { watch, outcomes, touch } = ask();
    touch('GPU-a', 'sensors');
    watch.lost('The driver process was ended by SIGKILL.', true);
    await vi.advanceTimersByTimeAsync(0);
    expect(outcomes).toEqual([
      { kind: 'crashed', touching: { step: 'sensors' }, message: 'The driver process was ended by SIGKILL.' },
    ]);
  });

  it('leaves no timer behind', async () => {
    const { watch } = ask();
    watch.report(refusal(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
