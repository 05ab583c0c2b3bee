/** At most so many tasks at once, and at most half of them slow ones; whoever waits longest is next, so none waits for ever. */

/** What a task is expected to be, from how it was the last time. */
export type Pace = 'quick' | 'slow';

interface Waiting {
  readonly pace: Pace;
  enter(): void;
}

/**
 * Tasks that are known to be slow leave half of the places to the others, so that a quick one waits for quick ones only.
 * What turns slow in more places than half at the same moment holds all of them once: until it ends, or is given up.
 */
export class Pool {
  readonly #places: Readonly<Record<'all' | 'slow', number>>;
  readonly #running: Record<Pace, number> = { quick: 0, slow: 0 };
  readonly #waiting: Waiting[] = [];

  constructor(size: number) {
    this.#places = { all: size, slow: Math.max(1, Math.floor(size / 2)) };
  }

  async run<Result>(task: () => Promise<Result>, pace: Pace = 'quick'): Promise<Result> {
    await this.#enter(pace);
    try {
      return await task();
    } finally {
      this.#leave(pace);
    }
  }

  #enter(pace: Pace): Promise<void> | undefined {
    if (!this.#hasPlace(pace)) return new Promise((enter) => this.#waiting.push({ pace, enter }));
    this.#running[pace]++;
    return undefined;
  }

  #hasPlace(pace: Pace): boolean {
    const { quick, slow } = this.#running;
    return quick + slow < this.#places.all && (pace === 'quick' || slow < this.#places.slow);
  }

  /** The place goes straight to the next in line, past whoever asks just now. */
  #leave(pace: Pace): void {
    this.#running[pace]--;
    const index = this.#waiting.findIndex((waiting) => this.#hasPlace(waiting.pace));
    const [next] = index === -1 ? [] : this.#waiting.splice(index, 1);
    if (next === undefined) return;
    this.#running[next.pace]++;
    next.enter();
  }
}
