import { describe, expect, it } from 'vitest';
import { oneAtATime } from '../../engine/one-at-a-time.ts';

function gated() {
  const seen: string[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  let calls = 0;
  const task = oneAtATime(async () => {
    const call = calls++;
    seen.push(`begin ${call}`);
    await gates[call]?.promise;
    seen.push(`end ${call}`);
    return call;
  });
  return { seen, gates, task };
}

describe('oneAtATime', () => {
  it('begins a call when the one before it is done, even when that failed', async () => {
    const { seen, gates, task } = gated();
    const first = task();
    const second = task();
    gates[1]?.resolve();
    gates[0]?.reject(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    await second;
    expect(seen).toEqual(['begin 0', 'begin 1', 'end 1']);
  });

  it('answers all who ask while one runs with one more run', async () => {
    const { seen, gates, task } = gated();
    const first = task();
    const others = [task(), task(), task()];
    gates[0]?.resolve();
    gates[1]?.resolve();
    expect([await first, ...(await Promise.all(others))]).toEqual([0, 1, 1, 1]);
    gates[2]?.resolve();
    expect(await task()).toBe(2);
    expect(seen).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2']);
  });
});
