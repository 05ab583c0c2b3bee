/** Pings in flight: never two of one agent, and none that is left behind. */
import type { Attempts } from './attempt.ts';
import type { PingFold } from './ping-fold.ts';
import type { Pinged } from './pings.ts';
import type { HeldAgent } from './registry.ts';

export class PingFlights {
  readonly #attempts: Attempts;
  readonly #fold: PingFold;
  /** The newest of each agent. */
  readonly #flying = new Map<string, Promise<unknown>>();
  readonly #all = new Set<Promise<unknown>>();

  constructor(attempts: Attempts, fold: PingFold) {
    this.#attempts = attempts;
    this.#fold = fold;
  }

  has(agentId: string): boolean {
    return this.#flying.has(agentId);
  }

  /** Pings the agent and ends the claim. Rejects with PingStoreError. */
  async ping(held: HeldAgent, signal: AbortSignal): Promise<Pinged> {
    const attempt = await this.#attempts.make(held, signal);
    if (attempt !== undefined) return this.#fold.conclude(held, attempt);
    await this.#fold.release(held);
    return { kind: 'stopped' };
  }

  /** Counts the work as the agent's flight. */
  async track<T>(agentId: string, work: () => Promise<T>): Promise<T> {
    const flight = work();
    this.#flying.set(agentId, flight);
    this.#all.add(flight);
    try {
      return await flight;
    } finally {
      this.#all.delete(flight);
      // An agent that was removed and registered again may have another one by now.
      if (this.#flying.get(agentId) === flight) this.#flying.delete(agentId);
    }
  }

  /** Resolves when none is left. */
  async landed(): Promise<void> {
    while (this.#all.size > 0) await Promise.allSettled(this.#all);
  }
}
