/** Writes results in batches: a transaction for each ping would cost more than the ping. */
import { type PingResult, UnfitResultError } from '../store/ping-store.ts';
import { type PingPorts, timingOf } from './ping-ports.ts';
import type { StoreHealth } from './store-health.ts';

type WriterPorts = Pick<PingPorts, 'registry' | 'clock' | 'timing'>;

interface Waiting {
  readonly result: PingResult;
  readonly resolve: (outcome: 'kept' | 'stale') => void;
  readonly reject: (error: unknown) => void;
}

/** More would keep everybody else from their turn. */
const AT_ONCE = 250;

export class ResultWriter {
  readonly #ports: WriterPorts;
  readonly #health: StoreHealth;
  readonly #stop: AbortSignal;
  #waiting: Waiting[] = [];
  #isWriting = false;

  /** After `stop` nothing waits for company any more. */
  constructor(ports: WriterPorts, health: StoreHealth, stop: AbortSignal) {
    this.#ports = ports;
    this.#health = health;
    this.#stop = stop;
  }

  /** Whether the result was kept, once it is durable. Rejects with PingStoreError. */
  write(result: PingResult): Promise<'kept' | 'stale'> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ result, resolve, reject });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      await this.#ports.clock.sleep(timingOf(this.#ports).batchMs, this.#stop);
      await this.#writeSome(this.#waiting.splice(0, AT_ONCE));
    }
    this.#isWriting = false;
  }

  async #writeSome(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = batch.map(({ result }) => result);
      const outcomes = await this.#health.watch(() => this.#record(results));
      if (outcomes === 'unfit') for (const waiting of batch) await this.#writeSome([waiting]);
      else for (const [at, { resolve }] of batch.entries()) resolve(outcomes[at] ?? 'stale');
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** One that is unfit spoils the whole batch; which one it is shows when they are written one by one. */
  async #record(results: readonly PingResult[]): Promise<readonly ('kept' | 'stale')[] | 'unfit'> {
    try {
      return await this.#ports.registry.record(results);
    } catch (error) {
      if (!(error instanceof UnfitResultError)) throw error;
      if (results.length > 1) return 'unfit';
      throw new Error(`it refuses what a ping of ${results[0]?.agentId} came to: ${error.message}`, { cause: error });
    }
  }
}
