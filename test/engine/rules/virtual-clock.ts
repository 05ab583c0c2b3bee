/** Time that passes only when a test says so. */
interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

export class VirtualClock {
  #now: number;
  #sleepers: Sleeper[] = [];

  constructor(startMs: number) {
    this.#now = startMs;
  }

  readonly now = (): number => this.#now;

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      this.#sleepers.push({ wakeAt: this.#now + ms, wake: resolve });
      signal.addEventListener('abort', () => resolve(), { once: true });
    });

  /** Sets the clock, as a person or NTP does: sleepers sleep as long as they would have. */
  set(nowMs: number): void {
    const by = nowMs - this.#now;
    this.#now = nowMs;
    this.#sleepers = this.#sleepers.map(({ wakeAt, wake }) => ({ wakeAt: wakeAt + by, wake }));
  }

  /** Lets `ms` pass, waking sleepers in order and letting each run until it waits again. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.wakeAt);
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      next.wake();
      await settle();
    }
    this.#now = end;
  }

  #next(end: number): Sleeper | undefined {
    return this.#sleepers.filter(({ wakeAt }) => wakeAt <= end).sort((a, b) => a.wakeAt - b.wakeAt)[0];
  }
}

/** Runs everything that is ready to run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
