/** Counts what pings come to, and how late they begin. */
import type { PingOutcome, PingReply } from '../core/ping/outcome.ts';
import type { LagBucket, PingStats } from './pings.ts';

type Counted = Pick<
  PingStats,
  'attempts' | 'decided' | 'lagMs' | 'worstLagMs' | 'lagBuckets' | 'lagSumMs' | 'withoutEvidence'
>;

/** The last is for everything. */
const BUCKETS_MS = [100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, Number.POSITIVE_INFINITY];
const SECOND_MS = 1000;
const RECENT_SECONDS = 60;

export class PingTally {
  readonly #elapsed: () => number;
  readonly #attempts = { answered: 0, unreachable: 0, refused: 0, invalid: 0, forbidden: 0 };
  readonly #decided = { good: 0, poor: 0, no_gpu: 0, unreachable: 0, refused: 0, invalid: 0, unobserved: 0 };
  /** Not cumulative. */
  readonly #lags = BUCKETS_MS.map(() => 0);
  /** The worst lag of each of the last seconds in which there was one. */
  readonly #worst = new Map<number, number>();
  #lagMs: number | undefined;
  #lagSumMs = 0;
  #withoutEvidence = 0;

  /** `elapsed` never goes back, whatever becomes of the clock. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  began(lateMs: number): void {
    const lagMs = Math.max(0, lateMs);
    const bucket = BUCKETS_MS.findIndex((leMs) => lagMs <= leMs);
    this.#lags[bucket] = (this.#lags[bucket] ?? 0) + 1;
    this.#lagMs = lagMs;
    this.#lagSumMs += lagMs;
    const second = this.#second();
    this.#worst.set(second, Math.max(this.#worst.get(second) ?? 0, lagMs));
    if (this.#worst.size > RECENT_SECONDS) this.#forget(second);
  }

  attempted(kind: PingReply['kind']): void {
    this.#attempts[kind] += 1;
  }

  decided(outcome: PingOutcome, isWithoutEvidence: boolean): void {
    this.#decided[outcome] += 1;
    if (isWithoutEvidence) this.#withoutEvidence += 1;
  }

  counted(): Counted {
    this.#forget(this.#second());
    const worst = [...this.#worst.values()];
    return {
      attempts: { ...this.#attempts },
      decided: { ...this.#decided },
      lagMs: this.#lagMs,
      worstLagMs: worst.length === 0 ? undefined : Math.max(...worst),
      lagBuckets: this.#cumulative(),
      lagSumMs: this.#lagSumMs,
      withoutEvidence: this.#withoutEvidence,
    };
  }

  #cumulative(): readonly LagBucket[] {
    let count = 0;
    return BUCKETS_MS.map((leMs, at) => {
      count += this.#lags[at] ?? 0;
      return { leMs, count };
    });
  }

  #second(): number {
    return Math.floor(this.#elapsed() / SECOND_MS);
  }

  #forget(second: number): void {
    for (const known of this.#worst.keys()) {
      if (known > second - RECENT_SECONDS) return;
      this.#worst.delete(known);
    }
  }
}
