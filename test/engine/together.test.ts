import { describe, expect, it } from 'vitest';
import { together } from '../../engine/together.ts';

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
}

describe('together', () => {
  it('ends all of it when one part fails, and tells why', async () => {
    const ended: string[] = [];
    const works = [
      async (until: AbortSignal) => {
        await untilAborted(until);
        ended.push('pings');
      },
      async () => {
        throw new Error('disk I/O error');
      },
    ];
    await expect(together(new AbortController().signal, works)).rejects.toThrow('disk I/O error');
    expect(ended).toEqual(['pings']);
  });

  it('ends all of it when it is told to', async () => {
    const stop = new AbortController();
    const all = together(stop.signal, [untilAborted, untilAborted]);
    stop.abort();
    await expect(all).resolves.toBeUndefined();
  });
});
