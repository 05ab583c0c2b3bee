/** Two clocks that move only when a test says so: the wall clock, which people set, and the one that never goes back. */
import type { PingClock } from '../../../engine/ping/ping-ports.ts';

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

export class VirtualTime implements PingClock {
  #elapsed = 1000;
  #aheadMs: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(nowMs: number) {
    this.#aheadMs = nowMs - this.#elapsed;
  }

  readonly now = (): number => this.#elapsed + this.#aheadMs;
  readonly elapsed = (): number => this.#elapsed;

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    if (!(ms >= 0 && ms < 2 ** 31)) throw new Error(`no timer sleeps for ${ms} ms`);
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { wakeAt: this.#elapsed + ms, wake };
      if (signal.aborted) return resolve();
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', wake);
    });
  };

  get sleepers(): number {
    return this.#sleepers.size;
  }

  /** As a person or NTP does: nobody who sleeps notices. */
  set(nowMs: number): void {
    this.#aheadMs = nowMs - this.#elapsed;
  }

  /** As SIGSTOP does: time passes, and nobody has a turn. */
  suspend(ms: number): void {
    this.#elapsed += ms;
  }

  /** Lets time pass, waking sleepers in order and letting each run until it sleeps again. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#elapsed = Math.max(this.#elapsed, next.wakeAt);
      next.wake();
      await settle();
    }
    this.#elapsed = end;
  }

  #next(end: number): Sleeper | undefined {
    let next: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.wakeAt <= end && (next === undefined || sleeper.wakeAt < next.wakeAt)) next = sleeper;
    }
    return next;
  }
}

/** Runs everything that is ready to run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
