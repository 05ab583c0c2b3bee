/** Whether the engine itself was there: what it missed is held against nobody. */
import { z } from 'zod';
import type { PingPolicy } from '../core/ping/policy.ts';
import { NEVER_WATCHED, outageMsIn, stepWatch, type Watch } from '../core/ping/watch.ts';
import { type PingPorts, type PingTiming, timingOf } from './ping-ports.ts';

type WatchPorts = Pick<PingPorts, 'store' | 'clock' | 'policy' | 'timing' | 'log'>;

/** Longer than signs of life are stored apart, so that a quick restart is no outage. */
const TOLERANCE_MS = 30_000;
/** Signs of life later than planned by this: the process was stopped, or had no turn, and so had no ping of its own. */
const ABSENT_MS = 3000;
/** The clocks drift apart by less between two signs of life; by more when one was set. */
const JUMP_MS = 5000;
const WEEK_MS = 7 * 86_400_000;

const KIND = 'ping_watch';
const KEY = 'engine';

const SAVED = z.object({
  lastMs: z.number(),
  outages: z.array(z.object({ fromMs: z.number(), untilMs: z.number() })),
  setBackAtMs: z.number().nullable(),
});

interface Look {
  readonly nowMs: number;
  readonly elapsedMs: number;
}

export class PingWatch {
  readonly #ports: WatchPorts;
  readonly #timing: PingTiming;
  #watch: Watch = NEVER_WATCHED;
  /** The first instant after the clock was set back: how long spans are that began before, nobody can tell. */
  #setBackAtMs: number | undefined;
  #last: Look;
  /** By the monotonic clock: attempts that began before it were not waited for all the time. */
  #absentUntil = Number.NEGATIVE_INFINITY;
  #returns = 1;
  #setBackMs = 0;

  private constructor(ports: WatchPorts) {
    this.#ports = ports;
    this.#timing = timingOf(ports);
    this.#last = this.#read();
  }

  /** Takes up when the engine was there before. Rejects when the store cannot be read. */
  static async open(ports: WatchPorts): Promise<PingWatch> {
    const watch = new PingWatch(ports);
    const saved = (await ports.store.list(KIND)).find(({ key }) => key === KEY);
    if (saved !== undefined) watch.#resume(saved.value);
    watch.#step(ports.clock.now());
    return watch;
  }

  /** A sign of life. To be given before what happened meanwhile is judged. */
  look(): void {
    const look = this.#read();
    const [wallMs, elapsedMs] = [look.nowMs - this.#last.nowMs, look.elapsedMs - this.#last.elapsedMs];
    const jumpMs = wallMs - elapsedMs;
    const isSet = Math.abs(jumpMs) > JUMP_MS;
    if (!isSet && Math.max(wallMs, elapsedMs) < this.#timing.beatMs / 2) return;
    if (jumpMs < -JUMP_MS) this.#setBack(look.nowMs, -jumpMs);
    if (isSet || elapsedMs > this.#timing.beatMs + ABSENT_MS) this.#absentUntil = look.elapsedMs;
    if (isSet || elapsedMs > TOLERANCE_MS) this.#returns += 1;
    if (isSet)
      this.#ports.log.warn({ seconds: Math.round(jumpMs / 1000) }, 'the clock was set: all pings are planned anew');
    this.#last = look;
    this.#step(look.nowMs);
  }

  /** How often the engine came, or its clock was set: each time the plans of all agents have to be looked at. */
  get returns(): number {
    return this.#returns;
  }

  /** By how much the clock was set back since the plans were looked at. */
  get setBackMs(): number {
    return this.#setBackMs;
  }

  /** The plans were looked at for this return. */
  resumed(returns: number): void {
    if (returns === this.#returns) this.#setBackMs = 0;
  }

  /** Whether the process was stopped, or the clock set, since an instant of the monotonic clock. */
  wasAbsentSince(elapsedMs: number): boolean {
    return this.#absentUntil > elapsedMs;
  }

  /** Whether the time from then to now is as long as the clock says. */
  isKnownSince(ms: number): boolean {
    return this.#setBackAtMs === undefined || ms >= this.#setBackAtMs;
  }

  /** For how much of a span this engine was away. */
  outageMsIn(fromMs: number, toMs: number): number {
    return this.isKnownSince(fromMs) ? outageMsIn(this.#watch, fromMs, toMs) : toMs - fromMs;
  }

  async beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.look();
      await this.#ports.clock.sleep(this.#timing.beatMs, signal);
    }
  }

  /** Rejects when the store cannot be written. */
  async save(): Promise<void> {
    const value: z.input<typeof SAVED> = {
      lastMs: this.#last.nowMs,
      outages: [...this.#watch.outages],
      setBackAtMs: this.#setBackAtMs ?? null,
    };
    await this.#ports.store.write(KIND, { put: [{ key: KEY, value }] });
  }

  #resume(value: unknown): void {
    const { data } = SAVED.safeParse(value);
    if (data === undefined) {
      this.#ports.log.warn({}, 'when this engine was there is not known any more: what was saved of it is damaged');
      return;
    }
    this.#watch = { lastMs: data.lastMs, outages: data.outages };
    this.#setBackAtMs = data.setBackAtMs ?? undefined;
    const aheadMs = data.lastMs - this.#last.nowMs;
    if (aheadMs > JUMP_MS) this.#setBack(this.#last.nowMs, aheadMs);
  }

  #setBack(toMs: number, byMs: number): void {
    this.#setBackAtMs = toMs;
    this.#setBackMs += byMs;
  }

  #read(): Look {
    const { now, elapsed } = this.#ports.clock;
    return { nowMs: now(), elapsedMs: elapsed() };
  }

  #step(nowMs: number): void {
    this.#watch = stepWatch({ toleranceMs: TOLERANCE_MS, keepMs: keptMs(this.#ports.policy()) }, this.#watch, nowMs);
  }
}

/** Spans of agents that answer are no longer than this, those of others end with an outcome of their own. */
function keptMs({ maxIntervalMs }: PingPolicy): number {
  return Math.max(WEEK_MS, 4 * maxIntervalMs);
}
