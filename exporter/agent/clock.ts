/** The agent's clocks: one for durations, which nobody can set, and one for labels. */

import { readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import type { Moment } from './history.ts';

export interface AgentClock {
  now(): Moment;
}

const bootIdFile = '/proc/sys/kernel/random/boot_id';

/**
 * Durations come from the time since the machine was booted: unlike a monotonic clock, it goes on while the machine sleeps,
 * and it can be compared with what an earlier process noted. Where the system does not name its boots, `fallbackEpoch`
 * does, and a restart of the agent is measured by the wall clock.
 */
export async function openClock(fallbackEpoch: string): Promise<AgentClock> {
  const epoch = await readFile(bootIdFile, 'utf8').then(
    (text) => text.trim(),
    () => fallbackEpoch,
  );
  return { now: () => ({ wallMs: Date.now(), steadyMs: Math.round(uptime() * 1000), epoch }) };
}
