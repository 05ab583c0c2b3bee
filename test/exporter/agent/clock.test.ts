import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openClock } from '../../../exporter/agent/clock.ts';

describe('openClock', () => {
  it('moves on with real time', async () => {
    const clock = await openClock('fallback');
    const before = clock.now();
    await delay(60);
    const after = clock.now();
    expect(after.steadyMs - before.steadyMs).toBeGreaterThanOrEqual(40);
    expect(after.wallMs).toBeGreaterThan(before.wallMs);
    expect(after.epoch).toBe(before.epoch);
  });

  it('can be compared with the clock of another process on the same machine', async ({ skip }) => {
    if (!existsSync('/proc/sys/kernel/random/boot_id')) return skip('this system does not name its boots');
    const [first, second] = [await openClock('one'), await openClock('other')];
    expect(first.now().epoch).toBe(second.now().epoch);
    expect(Math.abs(first.now().steadyMs - second.now().steadyMs)).toBeLessThan(1000);
  });
});
