/** Whether a store does what it is asked, told once when it stops and once when it goes on. */
import { messageOf } from '../text/message-of.ts';
import type { PingClock, PingLog } from './ping-ports.ts';

/** The store did not do what it was asked. What a ping came to is lost then, and the agent is asked again. */
export class PingStoreError extends Error {
  override readonly name = 'PingStoreError';
}

export interface HealthPorts {
  readonly log: PingLog;
  readonly clock: Pick<PingClock, 'elapsed'>;
}

/** A store that takes some writes and not others does not work. */
const STEADY_MS = 60_000;

export class StoreHealth {
  readonly #ports: HealthPorts;
  readonly #what: string;
  /** By the monotonic clock; undefined while all is well. */
  #failedAt: number | undefined;
  #failures = 0;

  /** `what` names the store in messages. */
  constructor(ports: HealthPorts, what: string) {
    this.#ports = ports;
    this.#what = what;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Rejects with PingStoreError when the work does, after having told of it. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    try {
      const value = await work();
      this.#succeeded();
      return value;
    } catch (cause) {
      const error = new PingStoreError(`${this.#what} fails: ${messageOf(cause)}`, { cause });
      this.#failed(error);
      throw error;
    }
  }

  /** For loops, which go on whatever happens. Undefined when it failed. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    return this.watch(work).catch(() => undefined);
  }

  #failed(error: PingStoreError): void {
    this.#failures += 1;
    if (this.#failedAt === undefined) this.#ports.log.error({ err: error }, `${error.message}; it is asked again`);
    this.#failedAt = this.#ports.clock.elapsed();
  }

  #succeeded(): void {
    if (this.#failedAt === undefined || this.#ports.clock.elapsed() - this.#failedAt < STEADY_MS) return;
    this.#failedAt = undefined;
    this.#ports.log.info({}, `${this.#what} works again`);
  }
}
