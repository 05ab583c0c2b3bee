import { describe, expect, it } from 'vitest';
import { oneAtATime } from '../../engine/one-at-a-time.ts';

describe('oneAtATime', () => {
  it('begins a call when the one before it is done, even when that failed', async () => {
    const seen: string[] = [];
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let calls = 0;
    const task = oneAtATime(async () => {
      const call = calls++;
      seen.push(`begin ${call}`);
      await gates[call]?.promise;
      seen.push(`end ${call}`);
    });
    const first = task();
    const second = task();
    gates[1]?.resolve();
    gates[0]?.reject(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    await second;
    expect(seen).toEqual(['begin 0', 'begin 1', 'end 1']);
  });
});
