/** Lookups of names, of which the system does few at once: names that are slow must not take all of its threads. */
import type { Asker, LookUp } from './name-lookup.ts';

export interface LookUpLanes {
  /** Rejects when the name has no address. It cannot be stopped. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
  /** Lookups under way at once. */
  readonly slots: number;
  /** How many of these slots names may take that were slow last time, or had no address. */
  readonly slowSlots: number;
  /** From here on a lookup is slow. */
  readonly slowMs: number;
  /** How many slow names are remembered, those of late. */
  readonly mostSlow: number;
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
}

/**
 * A name is asked for once, however many wait for it. Slow names have turns of their own, and the one that has not been
 * asked for longest comes first. A lookup that nobody waits for any more is not begun.
 */
export function inLanes(lanes: LookUpLanes): LookUp {
  const queue = new LookUpQueue(lanes);
  return (name, asker) => queue.join(name, asker);
}

type Addresses = readonly string[];

interface Waiting extends PromiseWithResolvers<Addresses> {
  readonly askers: Set<Asker>;
}

interface UnderWay {
  readonly answer: Promise<Addresses>;
  readonly isSlow: boolean;
}

class LookUpQueue {
  readonly #lanes: LookUpLanes;
  /** In the order in which they came. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #underWay = new Map<string, UnderWay>();
  /** Names that were slow or had no address, with a number that is higher the later that was. */
  readonly #slow = new Map<string, number>();
  #lookups = 0;

  constructor(lanes: LookUpLanes) {
    this.#lanes = lanes;
  }

  join(name: string, asker: Asker): Promise<Addresses> {
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay.answer;
    const waiting = this.#waiting.get(name) ?? { ...Promise.withResolvers<Addresses>(), askers: new Set() };
    this.#waiting.set(name, waiting);
    waiting.askers.add(asker);
    asker.onTurn(false);
    asker.signal.addEventListener('abort', () => this.#leave(name, waiting, asker), { once: true });
    this.#beginMore();
    return waiting.promise;
  }

  #leave(name: string, waiting: Waiting, asker: Asker): void {
    waiting.askers.delete(asker);
    if (waiting.askers.size === 0 && this.#waiting.get(name) === waiting) this.#waiting.delete(name);
  }

  #beginMore(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) this.#begin(...next);
  }

  /** Slow names come first, because they can never take more than their part. */
  #next(): readonly [name: string, waiting: Waiting] | undefined {
    const { slots, slowSlots } = this.#lanes;
    if (this.#underWay.size >= slots) return undefined;
    const slowUnderWay = [...this.#underWay.values()].filter(({ isSlow }) => isSlow).length;
    const slow = slowUnderWay < slowSlots ? this.#slowest() : undefined;
    return slow ?? [...this.#waiting].find(([name]) => !this.#slow.has(name));
  }

  /** The slow name that waits and was asked for longest ago. */
  #slowest(): readonly [name: string, waiting: Waiting] | undefined {
    const lastTime = ([name]: readonly [string, Waiting]) => this.#slow.get(name) ?? 0;
    const slow = [...this.#waiting].filter(([name]) => this.#slow.has(name));
    return slow.sort((a, b) => lastTime(a) - lastTime(b))[0];
  }

  #begin(name: string, { promise: answer, resolve, askers }: Waiting): void {
    this.#waiting.delete(name);
    this.#underWay.set(name, { answer, isSlow: this.#slow.has(name) });
    for (const asker of askers) asker.onTurn(true);
    resolve(this.#resolve(name));
  }

  async #resolve(name: string): Promise<Addresses> {
    const { resolve, elapsed, slowMs } = this.#lanes;
    const begunAt = elapsed();
    let isQuick = false;
    try {
      const addresses = await resolve(name);
      isQuick = elapsed() - begunAt < slowMs;
      return addresses;
    } finally {
      this.#underWay.delete(name);
      this.#remember(name, isQuick);
      this.#beginMore();
    }
  }

  #remember(name: string, isQuick: boolean): void {
    this.#slow.delete(name);
    if (isQuick) return;
    this.#slow.set(name, ++this.#lookups);
    const [oldest] = this.#slow.keys();
    if (oldest !== undefined && this.#slow.size > this.#lanes.mostSlow) this.#slow.delete(oldest);
  }
}
