/** Pings of registered agents: on schedule, on request, and those that others made. */
import type { PingPolicy } from '../core/ping/policy.ts';
import type { PingRecord } from '../core/ping/state.ts';
import type { HistoryQuery, PingTotal } from '../store/ping-store.ts';
import { Attempts } from './attempt.ts';
import { Doubt } from './doubt.ts';
import { untilEither } from './either-signal.ts';
import { handedInReply, unfitness } from './handed-in.ts';
import { trimHistory } from './history-trim.ts';
import { PingFlights } from './ping-flights.ts';
import { PingFold } from './ping-fold.ts';
import { logPing } from './ping-news.ts';
import { leaseMsOf, type PingPorts, timingOf } from './ping-ports.ts';
import { PingScheduler } from './ping-scheduler.ts';
import { PingSlots } from './ping-slots.ts';
import { PingTally } from './ping-tally.ts';
import { PingWatch } from './ping-watch.ts';
import type { HandedIn, Pinged, PingStats, Pings } from './pings.ts';
import type { AgentRegistry, HeldAgent } from './registry.ts';
import { ResultWriter } from './result-writer.ts';
import { StoreHealth } from './store-health.ts';

export class PingService implements Pings {
  readonly #ports: PingPorts;
  readonly #watch: PingWatch;
  readonly #stop = new AbortController();
  readonly #health: StoreHealth;
  readonly #watchHealth: StoreHealth;
  readonly #doubt: Doubt;
  readonly #tally: PingTally;
  readonly #slots: PingSlots;
  readonly #attempts: Attempts;
  readonly #fold: PingFold;
  readonly #flights: PingFlights;

  private constructor(ports: PingPorts, watch: PingWatch) {
    this.#ports = ports;
    this.#watch = watch;
    this.#health = new StoreHealth(ports, 'the store of pings');
    this.#watchHealth = new StoreHealth(ports, 'the store of own outages');
    this.#doubt = new Doubt(ports);
    this.#tally = new PingTally(ports.clock.elapsed);
    this.#slots = new PingSlots(() => ports.policy().maxConcurrentAgents);
    this.#attempts = new Attempts(ports, watch);
    const writer = new ResultWriter(ports, this.#health, this.#stop.signal);
    this.#fold = new PingFold(ports, { watch, doubt: this.#doubt, tally: this.#tally, writer });
    this.#flights = new PingFlights(this.#attempts, this.#fold);
  }

  /** Takes up when this engine was there last. Rejects when the store cannot be read. */
  static async open(ports: PingPorts): Promise<PingService> {
    return new PingService(ports, await PingWatch.open(ports));
  }

  get registry(): AgentRegistry {
    return this.#ports.registry;
  }

  readonly policy = (): PingPolicy => this.#ports.policy();

  /** Until the signal aborts, which ends the pings in flight at once: they say nothing of their agents. */
  async run(signal: AbortSignal): Promise<void> {
    const end = () => this.#stop.abort();
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
    try {
      await this.#runLoops(this.#stop.signal);
    } finally {
      signal.removeEventListener('abort', end);
      end();
      await this.#flights.landed();
      await this.#watchHealth.attempt(() => this.#watch.save());
    }
  }

  readonly stats = (): PingStats => ({
    ...this.#tally.counted(),
    isScheduling: this.#ports.isScheduling,
    inFlight: this.#slots.taken,
    waiting: this.#waiting(),
    isSuspect: this.#doubt.sinceMs !== undefined,
    suspectSinceMs: this.#doubt.sinceMs,
    saveFailures: this.#health.failures + this.#watchHealth.failures,
  });

  isInFlight(agentId: string): boolean {
    return this.#flights.has(agentId);
  }

  /** Rejects with PingStoreError, as `handIn`. */
  pingNow(agentId: string, signal: AbortSignal): Promise<Pinged> {
    return this.#hold(agentId, signal, (held, until) => this.#flights.ping(held, until));
  }

  handIn(agentId: string, handedIn: HandedIn, signal: AbortSignal): Promise<Pinged> {
    return this.#hold(agentId, signal, (held, until) => this.#judge(held, handedIn, until));
  }

  history(query: HistoryQuery): Promise<readonly PingRecord[]> {
    return this.#ports.pings.history(query);
  }

  totals(fromMs: number): Promise<readonly PingTotal[]> {
    return this.#ports.pings.totals(fromMs);
  }

  async #runLoops(signal: AbortSignal): Promise<void> {
    const parts = { watch: this.#watch, doubt: this.#doubt, slots: this.#slots, tally: this.#tally };
    const all = { ...parts, flights: this.#flights, fold: this.#fold, health: this.#health };
    const scheduler = new PingScheduler(this.#ports, all);
    await Promise.all([
      this.#watch.beat(signal),
      this.#keepWatch(signal),
      scheduler.run(signal),
      trimHistory(this.#ports, this.#health, signal),
    ]);
  }

  async #keepWatch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#watchHealth.attempt(() => this.#watch.save());
      await this.#ports.clock.sleep(timingOf(this.#ports).keepMs, signal);
    }
  }

  /** Does the work with the agent claimed, in a slot of its own. */
  async #hold(
    agentId: string,
    signal: AbortSignal,
    work: (held: HeldAgent, signal: AbortSignal) => Promise<Pinged>,
  ): Promise<Pinged> {
    const pinged = await untilEither(signal, this.#stop.signal, (until) =>
      this.#slots.hold(until, async () => {
        const held = await this.#claim(agentId);
        if (held === undefined) return this.#unclaimed(agentId);
        return this.#flights.track(agentId, () => work(held, until));
      }),
    );
    return pinged ?? { kind: 'stopped' };
  }

  #claim(agentId: string): Promise<HeldAgent | undefined> {
    const { registry, clock } = this.#ports;
    return this.#health.watch(() => registry.claim(agentId, clock.now(), leaseMsOf(this.#ports)));
  }

  #unclaimed(agentId: string): Pinged {
    const known = this.#ports.registry.get(agentId);
    return known === undefined ? { kind: 'unknown' } : { kind: 'busy', ...known };
  }

  async #judge(held: HeldAgent, handedIn: HandedIn, signal: AbortSignal): Promise<Pinged> {
    const { clock, log } = this.#ports;
    const { agent, state } = held;
    const { atMs, endedAtMs } = handedIn;
    this.#watch.look();
    const unfit = unfitness(handedIn, state, clock.now());
    if (unfit?.kind === 'late') {
      logPing(log, { agentId: agent.id, events: [{ ...unfit, atMs }], record: undefined });
    }
    const evidence = unfit === undefined ? await this.#attempts.evidence(held, atMs, signal) : undefined;
    if (evidence === undefined) {
      await this.#fold.release(held);
      return unfit === undefined ? { kind: 'stopped' } : { ...unfit, agent, state };
    }
    const reply = handedInReply(handedIn, held, (ms) => this.#watch.isKnownSince(ms));
    return this.#fold.conclude(held, { atMs, endedAtMs, begunAt: undefined, reply, ...evidence });
  }

  #waiting(): number {
    const nowMs = this.#ports.clock.now();
    let waiting = 0;
    for (const { agent, state } of this.#ports.registry.all()) {
      if (state.nextDueAtMs <= nowMs && !this.#flights.has(agent.id)) waiting += 1;
    }
    return waiting;
  }
}
