/** Pings whoever is due, in the order they are due, and no more at once than the policy allows. */
import type { PingPolicy } from '../core/ping/policy.ts';
import { resumePing } from '../core/ping/resume.ts';
import { messageOf } from '../text/message-of.ts';
import type { Doubt } from './doubt.ts';
import type { PingFlights } from './ping-flights.ts';
import type { PingFold } from './ping-fold.ts';
import { leaseMsOf, type PingPorts, type PingTiming, timingOf } from './ping-ports.ts';
import type { PingSlots } from './ping-slots.ts';
import type { PingTally } from './ping-tally.ts';
import type { PingWatch } from './ping-watch.ts';
import { pardonAll, resumeAll } from './plan-sweep.ts';
import type { HeldAgent } from './registry.ts';
import { PingStoreError, type StoreHealth } from './store-health.ts';

export interface SchedulerParts {
  readonly watch: PingWatch;
  readonly doubt: Doubt;
  readonly slots: PingSlots;
  readonly flights: PingFlights;
  readonly fold: PingFold;
  readonly tally: PingTally;
  readonly health: StoreHealth;
}

type SchedulerPorts = Pick<PingPorts, 'registry' | 'policy' | 'clock' | 'log' | 'isScheduling' | 'timing'>;

export class PingScheduler {
  readonly #ports: SchedulerPorts;
  readonly #parts: SchedulerParts;
  readonly #timing: PingTiming;
  /** What all plans were last looked at for. */
  #resumedFor: { readonly returns: number; readonly policy: PingPolicy } | undefined;

  constructor(ports: SchedulerPorts, parts: SchedulerParts) {
    this.#ports = ports;
    this.#parts = parts;
    this.#timing = timingOf(ports);
  }

  /** Never rejects because of the store: it is asked again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isMoreWaiting = await this.#round(signal);
      await this.#ports.clock.sleep(isMoreWaiting ? this.#timing.batchMs : this.#timing.pollMs, signal);
    }
  }

  async #round(signal: AbortSignal): Promise<boolean> {
    this.#parts.watch.look();
    await this.#pardon(signal);
    const isResumed = await this.#resume(signal);
    return isResumed && this.#ports.isScheduling && !signal.aborted ? this.#begin(signal) : false;
  }

  /** Before anybody is pinged: what fell due in an absence must not be pinged all at once. */
  async #resume(signal: AbortSignal): Promise<boolean> {
    const policy = this.#ports.policy();
    const { watch, health } = this.#parts;
    const { returns, setBackMs } = watch;
    if (this.#resumedFor?.returns === returns && this.#resumedFor.policy === policy) return true;
    const isDone = await health.attempt(() => resumeAll(this.#ports, setBackMs, signal).then(() => true));
    if (isDone === undefined) return false;
    watch.resumed(returns);
    this.#resumedFor = { returns, policy };
    return true;
  }

  /** Again in every round of doubt, because failures that were on their way when it began are written after that. */
  async #pardon(signal: AbortSignal): Promise<void> {
    const { doubt, health } = this.#parts;
    const { sinceMs } = doubt;
    if (sinceMs === undefined) return;
    doubt.look();
    await health.attempt(() => pardonAll(this.#ports, sinceMs, signal));
  }

  /** Whether more agents may be waiting than there was room for. */
  async #begin(signal: AbortSignal): Promise<boolean> {
    const { slots, health } = this.#parts;
    const { registry, clock } = this.#ports;
    const room = slots.free;
    if (room === 0) return true;
    const claims = await health.attempt(() => registry.claimDue(clock.now(), room, leaseMsOf(this.#ports)));
    for (const held of claims ?? []) void this.#ping(held, signal);
    return claims?.length === room;
  }

  async #ping(held: HeldAgent, signal: AbortSignal): Promise<void> {
    const { flights, slots, fold } = this.#parts;
    const { id } = held.agent;
    // Its lease ran out while this process was stopped: what is in flight is stale now, and so is this claim soon.
    if (flights.has(id)) return;
    try {
      await flights.track(id, async () => {
        const isBegun = await slots.hold(signal, () => this.#pingInSlot(held, signal));
        if (isBegun === undefined) await fold.release(held);
      });
    } catch (error) {
      if (error instanceof PingStoreError) return;
      this.#ports.log.error({ agent: id, err: error }, `a ping broke off and is made again: ${messageOf(error)}`);
    }
  }

  async #pingInSlot(held: HeldAgent, signal: AbortSignal): Promise<true> {
    const { flights, fold, tally } = this.#parts;
    const { agent, state } = held;
    const nowMs = this.#ports.clock.now();
    if ((state.lastAttemptAtMs ?? Number.NEGATIVE_INFINITY) >= nowMs) {
      // By a clock that is ahead of ours: a ping of ours would be late until we have caught up.
      const resumed = resumePing(this.#ports.policy(), { agentId: agent.id, state, nowMs });
      await fold.release({ ...held, state: resumed });
    } else {
      tally.began(nowMs - state.nextDueAtMs);
      await flights.ping(held, signal);
    }
    return true;
  }
}
