/** Forgets pings that are older than the policy keeps them, and where departed agents stood when their time is over. */
import { type PingPorts, timingOf } from './ping-ports.ts';
import type { StoreHealth } from './store-health.ts';

type TrimPorts = Pick<PingPorts, 'pings' | 'registry' | 'clock' | 'policy' | 'timing'>;

/** Few enough that a ping hardly waits for them, with room for others between. */
const ROWS_AT_ONCE = 500;
const PAUSE_MS = 100;

/** Looks again and again until the signal aborts. What a store does not do now, it does next time. */
export async function trimHistory(ports: TrimPorts, health: StoreHealth, signal: AbortSignal): Promise<void> {
  const { pings, registry, clock, policy } = ports;
  const inSteps = async (trim: () => Promise<number>) => {
    let trimmed: number | undefined = ROWS_AT_ONCE;
    while (trimmed === ROWS_AT_ONCE && !signal.aborted) {
      trimmed = await health.attempt(trim);
      await clock.sleep(PAUSE_MS, signal);
    }
  };
  while (!signal.aborted) {
    const beforeMs = clock.now() - policy().historyMs;
    await inSteps(() => pings.trim(beforeMs, ROWS_AT_ONCE));
    await inSteps(() => registry.forgetDeparted(ROWS_AT_ONCE));
    await clock.sleep(timingOf(ports).trimMs, signal);
  }
}
