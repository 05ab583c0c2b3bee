import { describe, expect, it } from 'vitest';
import { Pool } from '../../../engine/rules/pool.ts';

/** Asks for a place for each letter, lower case slow; after each leave, who holds one. */
async function play(size: number, asking: string, leaving: string): Promise<readonly string[]> {
  const pool = new Pool(size);
  const inside = new Map<string, () => void>();
  const ends = [...asking].map((name) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const task = () => {
      inside.set(name, resolve);
      return promise;
    };
    return pool.run(task, name === name.toLowerCase() ? 'slow' : 'quick');
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const held = () => [...inside.keys()].sort().join('');
  await settle();
  const seen = [held()];
  for (const name of leaving) {
    inside.get(name)?.();
    inside.delete(name);
    await settle();
    seen.push(held());
  }
  expect(inside.size).toBe(0);
  await Promise.all(ends);
  return seen;
}

describe('Pool', () => {
  it.each([
    ['lets whoever waits longest in next', 2, 'ABCD', 'ABCD', ['AB', 'BC', 'CD', 'D', '']],
    ['lets slow ones hold half of the places', 4, 'abcABC', 'aABbcC', ['ABab', 'ABbc', 'BCbc', 'Cbc', 'Cc', 'C', '']],
    ['lets a quick one pass those that must wait', 2, 'abcA', 'Aabc', ['Aa', 'a', 'b', 'c', '']],
    ['does not forget a slow one that was passed', 2, 'AaBbC', 'AaBbC', ['Aa', 'Ba', 'Bb', 'Cb', 'C', '']],
    ['has a place for a slow one where there is only one', 1, 'aAb', 'aAb', ['a', 'A', 'b', '']],
  ])('%s', async (_, size, asking, leaving, expected) => {
    expect(await play(size, asking, leaving)).toEqual(expected);
  });

  it('frees the place of a task that fails', async () => {
    const pool = new Pool(1);
    await expect(pool.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await pool.run(async () => 'next')).toBe('next');
  });
});
