/** Whether the engine suspects itself, because most agents fail at once, and since when. */
import type { PingPolicy, SuspectPolicy } from '../core/ping/policy.ts';
import { isSuspect, type RecentPings, stepSuspicion } from '../core/ping/suspicion.ts';
import type { PingPorts } from './ping-ports.ts';

type DoubtPorts = Pick<PingPorts, 'policy' | 'clock' | 'log'>;

export class Doubt {
  readonly #ports: DoubtPorts;
  #recent: RecentPings = [];
  #sinceMs: number | undefined;
  /** When most last failed, by the monotonic clock, and whether anybody has answered since. */
  #suspectedAt = 0;
  #isAnswered = false;

  constructor(ports: DoubtPorts) {
    this.#ports = ports;
  }

  /** Since when the engine doubts itself, as far as failures tell; undefined while it does not. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** Adds how the first attempt at an agent ended, now. */
  note(isFailure: boolean): void {
    if (!isFailure) this.#isAnswered = true;
    this.#recent = stepSuspicion(this.#ports.policy().suspect, this.#recent, {
      atMs: this.#ports.clock.now(),
      isFailure,
    });
  }

  /** Whether a failure that is known now, of an agent that fails since then, says nothing of the agent. */
  excuses(failingSinceMs: number): boolean {
    const nowMs = this.#ports.clock.now();
    const policy = this.#ports.policy();
    if (isSuspect(policy.suspect, this.#recent, { sinceMs: failingSinceMs, nowMs })) {
      this.#suspectAgain();
      if (this.#sinceMs === undefined) this.#begin(policy, nowMs);
    }
    return this.#sinceMs !== undefined;
  }

  /** Ends the doubt when agents answer and most have not failed for a whole window. That nobody is asked ends nothing. */
  look(): void {
    if (this.#sinceMs === undefined) return;
    const { clock, policy, log } = this.#ports;
    const { suspect } = policy();
    if (isSuspect(suspect, this.#recent, { sinceMs: undefined, nowMs: clock.now() })) this.#suspectAgain();
    if (!this.#isAnswered || clock.elapsed() - this.#suspectedAt < suspect.windowMs) return;
    this.#sinceMs = undefined;
    log.info({}, 'agents answer again: failures count again');
  }

  #suspectAgain(): void {
    this.#suspectedAt = this.#ports.clock.elapsed();
    this.#isAnswered = false;
  }

  #begin({ suspect, responseTimeoutMs }: PingPolicy, nowMs: number): void {
    // It is known when attempts ended; they began up to one timeout before.
    this.#sinceMs = troubleSinceMs(suspect, this.#recent, nowMs) - responseTimeoutMs;
    const text = 'most agents fail at once: the engine suspects its own network, and no failure counts meanwhile';
    this.#ports.log.warn({ since: new Date(this.#sinceMs).toISOString() }, text);
  }
}

/** The oldest failure within the window since which most pings failed; `nowMs` when there is none. */
function troubleSinceMs({ maxShare, windowMs }: SuspectPolicy, recent: RecentPings, nowMs: number): number {
  let [pings, failures, sinceMs] = [0, 0, nowMs];
  for (const { atMs, isFailure } of recent.toReversed()) {
    if (atMs <= nowMs - windowMs) break;
    pings += 1;
    if (!isFailure) continue;
    failures += 1;
    if (failures > maxShare * pings) sinceMs = atMs;
  }
  return sinceMs;
}
