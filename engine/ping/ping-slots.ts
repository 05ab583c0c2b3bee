/** How many pings are in flight. Whoever asked for one is served first; agents that are due take what is left. */

interface Waiter {
  readonly begin: () => void;
}

export class PingSlots {
  readonly #most: () => number;
  readonly #waiting = new Set<Waiter>();
  #taken = 0;

  /** `most` may change. */
  constructor(most: () => number) {
    this.#most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  /** How many may be taken now without keeping anybody waiting for longer. */
  get free(): number {
    return Math.max(0, this.#most() - this.#taken - this.#waiting.size);
  }

  /** Does the work in a slot of its own, as soon as there is one. Undefined when the signal was first. */
  async hold<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    if (this.free > 0 && !signal.aborted) this.#taken += 1;
    else if (!(await this.#turn(signal))) return undefined;
    try {
      return await work();
    } finally {
      this.#taken -= 1;
      this.#serve();
    }
  }

  /** Waiters that are no longer kept waiting, in the order they came. */
  #serve(): void {
    for (const waiter of this.#waiting) {
      if (this.#taken >= this.#most()) return;
      this.#waiting.delete(waiter);
      this.#taken += 1;
      waiter.begin();
    }
  }

  #turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter = { begin: () => end(true) };
      const giveUp = () => end(false);
      const end = (isTurn: boolean) => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', giveUp);
        resolve(isTurn);
      };
      if (signal.aborted) return end(false);
      this.#waiting.add(waiter);
      signal.addEventListener('abort', giveUp);
    });
  }
}
