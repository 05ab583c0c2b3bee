/** Forgets pings that are older than the policy keeps them. */
import { type PingPorts, timingOf } from './ping-ports.ts';
import type { StoreHealth } from './store-health.ts';

type TrimPorts = Pick<PingPorts, 'pings' | 'clock' | 'policy' | 'timing'>;

/** Few enough that a ping hardly waits for them, with room for others between. */
const ROWS_AT_ONCE = 500;
const PAUSE_MS = 100;

/** Looks again and again until the signal aborts. What a store does not do now, it does next time. */
export async function trimHistory(ports: TrimPorts, health: StoreHealth, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await trimOnce(ports, health, signal);
    await ports.clock.sleep(timingOf(ports).trimMs, signal);
  }
}

async function trimOnce({ pings, clock, policy }: TrimPorts, health: StoreHealth, signal: AbortSignal): Promise<void> {
  const beforeMs = clock.now() - policy().historyMs;
  let trimmed: number | undefined = ROWS_AT_ONCE;
  while (trimmed === ROWS_AT_ONCE && !signal.aborted) {
    trimmed = await health.attempt(() => pings.trim(beforeMs, ROWS_AT_ONCE));
    await clock.sleep(PAUSE_MS, signal);
  }
}
