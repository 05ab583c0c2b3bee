import { describe, expect, it } from 'vitest';
import { type Gathering, gather } from '../../../engine/ping/gathering.ts';

const NEVER = new AbortController().signal;

class Refused extends Error {}

/** Doubles numbers, as an answerer with limits would; `asked` are its requests, `end` lets the oldest one end. */
function doubling(change: Partial<Gathering<number, number>> = {}) {
  const asked: (readonly number[])[] = [];
  const signals: AbortSignal[] = [];
  const ends: (() => void)[] = [];
  const ask = gather<number, number>({
    waitMs: 1,
    atOnce: 2,
    mostWeight: 3,
    weigh: () => 1,
    isRefusal: (error) => error instanceof Refused,
    ask: async (numbers, signal) => {
      asked.push(numbers);
      signals.push(signal);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (numbers.includes(13)) throw new Refused(`13 among ${numbers}`);
      if (numbers.includes(666)) throw new Error('the line is dead');
      return numbers.map((number) => 2 * number);
    },
    ...change,
  });
  const end = async (times = 1) => {
    for (let i = 0; i < times; i++) {
      await expect.poll(() => ends.length).toBeGreaterThan(0);
      ends.shift()?.();
    }
  };
  return { ask: (number: number, signal = NEVER) => ask(number, signal), asked, signals, end };
}

describe('gather', () => {
  it('asks together what comes together, as much as fits, and hands each its answer', async () => {
    const { ask, asked, end } = doubling();
    const answers = Promise.all([1, 2, 3, 4].map((number) => ask(number)));
    await end(2);
    expect(await answers).toEqual([2, 4, 6, 8]);
    expect(asked).toEqual([[1, 2, 3], [4]]);
  });

  it('asks alone what is too much for others beside it', async () => {
    const { ask, asked, end } = doubling({ weigh: (number) => number });
    const answers = Promise.all([1, 9, 2, 1].map((number) => ask(number)));
    await end(3);
    expect(await answers).toEqual([2, 18, 4, 2]);
    expect(asked).toEqual([[1], [9], [2, 1]]);
  });

  it('has no more requests at once than it may, and asks together what waits meanwhile', async () => {
    const { ask, asked, end } = doubling({ mostWeight: 1 });
    const answers = Promise.all([1, 2, 3].map((number) => ask(number)));
    await expect.poll(() => asked).toEqual([[1], [2]]);
    await end(3);
    expect(await answers).toEqual([2, 4, 6]);
    expect(asked).toEqual([[1], [2], [3]]);
  });

  it('finds the question that is refused, and answers the others', async () => {
    const { ask, asked, end } = doubling({ mostWeight: 5 });
    const settled = Promise.allSettled([1, 2, 13, 4, 5].map((number) => ask(number)));
    await end(5);
    expect((await settled).map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual([
      2,
      4,
      'Error: 13 among 13',
      8,
      10,
    ]);
    expect(asked).toEqual([[1, 2, 13, 4, 5], [1, 2, 13], [1, 2], [13], [4, 5]]);
  });

  it('asks nobody again when nobody answers', async () => {
    const { ask, asked, end } = doubling();
    const settled = Promise.allSettled([1, 666].map((number) => ask(number)));
    await end();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(asked).toEqual([[1, 666]]);
  });

  it('lets go of whoever gives up, and of the request once nobody is left', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { ask, asked, signals, end } = doubling();
    const answers = [ask(1, first.signal), ask(2, second.signal)];
    await expect.poll(() => asked).toEqual([[1, 2]]);
    first.abort();
    expect(await answers[0]).toBeUndefined();
    expect(signals[0]?.aborted).toBe(false);
    second.abort();
    expect(await answers[1]).toBeUndefined();
    expect(signals[0]?.aborted).toBe(true);
    await end();
  });

  it('asks nothing for whoever gave up before', async () => {
    const giveUp = new AbortController();
    const { ask, asked, end } = doubling();
    const answers = Promise.all([ask(1, AbortSignal.abort()), ask(2, giveUp.signal), ask(3)]);
    giveUp.abort();
    await end();
    expect(await answers).toEqual([undefined, undefined, 6]);
    expect(asked).toEqual([[3]]);
  });

  it('goes on after a failure', async () => {
    const { ask, end } = doubling();
    const failing = ask(666);
    failing.catch(() => {});
    await end();
    await expect(failing).rejects.toThrow('the line is dead');
    const next = ask(4);
    await end();
    expect(await next).toBe(8);
  });
});
