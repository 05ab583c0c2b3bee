/** The running engine: one judged state, the loop that advances it, and what endpoints may see and do. */
import type { Logger } from 'pino';
import { restoreFleet, saveFleet } from './core/checkpoint.ts';
import { createFleet, type FleetEvent } from './core/fleet.ts';
import type { Hold } from './core/hold.ts';
import { planPolicy } from './core/plan.ts';
import type { Policy } from './core/policy.ts';
import { latestSettledTick } from './core/tick.ts';
import { type Cycle, catchUp, startCold } from './cycle.ts';
import type { OwnMetrics } from './metrics/own.ts';
import type { HistoryStats } from './prometheus/history.ts';
import type { PromQuery, QueryError } from './prometheus/query.ts';
import { parseCheckpoint, parseHold } from './saved-state.ts';
import { type Clock, runScheduler } from './scheduler.ts';
import type { Store } from './store/store.ts';
import { logEvent } from './tick-log.ts';

export interface EnginePorts {
  readonly clock: Clock;
  readonly prom: PromQuery;
  readonly store: Store;
  readonly log: Logger;
  readonly stats: HistoryStats;
  readonly metrics: OwnMetrics;
  /** Planned maintenance under a policy; none without it. */
  readonly maintenance?: Cycle['maintenance'];
}

/** A checkpoint is written at most this often, and at every orderly stop. */
const CHECKPOINT_EVERY_MS = 60_000;
const CHECKPOINT_KEY = 'fleet';
/** A clock that was stepped back by less is waited for. */
const MAX_AHEAD_MS = 60_000;

export class Engine {
  readonly #ports: EnginePorts;
  #cycle: Cycle;
  #holds: readonly Hold[] = [];
  #isReady = false;
  #lastFailure: string | undefined;
  #savedAtMs = 0;

  private constructor(ports: EnginePorts, policy: Policy) {
    this.#ports = ports;
    this.#cycle = this.#newCycle(policy);
  }

  /** Takes up holds and the checkpoint. Rejects when the store cannot be read. */
  static async open(ports: EnginePorts, policy: Policy): Promise<Engine> {
    const engine = new Engine(ports, policy);
    await engine.#restoreHolds();
    await engine.#restore();
    return engine;
  }

  judged(): Cycle {
    return this.#cycle;
  }

  holds(): readonly Hold[] {
    return this.#holds;
  }

  isReady(): boolean {
    return this.#isReady;
  }

  lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /** Settled ticks that are not judged yet. */
  backlogTicks(): number {
    const { plan, state } = this.#cycle;
    if (state.tickMs === undefined) return 0;
    return Math.max(0, (this.#dueMs(this.#cycle) - state.tickMs) / plan.policy.intervalMs);
  }

  /** Judges ticks until the signal aborts, then writes a last checkpoint. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const grid = () => this.#cycle.plan.policy;
    const onFailure = (error: QueryError) => this.#failed(error);
    await runScheduler({ clock, grid, round: (stop) => this.judge(stop), onFailure }, signal);
    await this.#checkpoint();
  }

  async addHold(hold: Hold): Promise<void> {
    await this.#ports.store.write('hold', { put: [{ key: hold.id, value: hold }] });
    this.#holds = [...this.#holds, hold];
  }

  /** Whether there was such a hold. */
  async removeHold(id: string): Promise<boolean> {
    const isKnown = this.#holds.some((hold) => hold.id === id);
    await this.#ports.store.write('hold', { remove: [id] });
    this.#holds = this.#holds.filter((hold) => hold.id !== id);
    return isKnown;
  }

  /** Forgets holds that ended more than `keptMs` ago. */
  async dropExpiredHolds(keptMs: number): Promise<void> {
    const expired = this.#holds.filter(({ expiresAtMs }) => expiresAtMs + keptMs < this.#ports.clock.now());
    await this.#ports.store.write('hold', { remove: expired.map(({ id }) => id) });
    this.#holds = this.#holds.filter((hold) => !expired.includes(hold));
  }

  /**
   * Judges by another policy from now on. One that judges differently first replays history under its own rules;
   * until that is done the old one answers. Rejects with QueryError when history cannot be read.
   */
  async usePolicy(policy: Policy, signal: AbortSignal): Promise<void> {
    const next = this.#newCycle(policy);
    if (policy.revision === this.#cycle.plan.policy.revision) {
      this.#cycle = { ...next, state: this.#cycle.state };
      return;
    }
    // What this replay finds has been told already, or is of the past.
    const cycle = await this.#started({ ...next, onTick: () => {} }, signal);
    await catchUp(cycle, this.#dueMs(cycle), signal);
    this.#cycle = { ...cycle, onTick: this.#onTick };
    // The next round writes it down: a checkpoint beside a running round would be of two ticks.
    this.#savedAtMs = 0;
  }

  /** Judges every tick that has settled. Rejects with QueryError; what was judged until then stays. */
  async judge(signal: AbortSignal): Promise<void> {
    const stopTimer = this.#ports.metrics.roundSeconds.startTimer();
    const before = this.#cycle;
    const cycle = await this.#started(before, signal);
    // A reload to another policy that finished meanwhile brings a state of its own, which is newer than this one.
    if (this.#cycle.state === before.state) {
      this.#cycle = { ...this.#cycle, state: cycle.state, fleetSize: cycle.fleetSize };
    }
    await catchUp(cycle, this.#dueMs(cycle), signal);
    stopTimer();
    this.#succeeded();
    if (this.#ports.clock.now() - this.#savedAtMs >= CHECKPOINT_EVERY_MS) await this.#checkpoint();
  }

  #dueMs({ plan }: Cycle): number {
    return latestSettledTick(this.#ports.clock.now(), plan.policy.intervalMs, plan.policy.settleMs);
  }

  #newCycle(policy: Policy): Cycle {
    const { prom, stats } = this.#ports;
    const plan = planPolicy(policy);
    const history = { prom, policy, stats };
    const maintenance = this.#ports.maintenance ?? (() => undefined);
    return { plan, state: createFleet(), history, fleetSize: 0, maintenance, onTick: this.#onTick };
  }

  /** A cycle without a judged tick starts where the backfill starts; so does one that the clock has left behind. */
  async #started(cycle: Cycle, signal: AbortSignal): Promise<Cycle> {
    const { tickMs } = cycle.state;
    const gapMs = tickMs === undefined ? undefined : this.#dueMs(cycle) - tickMs;
    if (gapMs !== undefined && gapMs >= -MAX_AHEAD_MS && gapMs <= maxGapMs(cycle.plan.policy)) return cycle;
    if (gapMs !== undefined)
      this.#ports.log.warn({ gapMs }, 'the newest judged tick is far from now: history is read anew');
    return startCold(cycle, this.#ports.clock.now(), signal);
  }

  #succeeded(): void {
    if (this.#lastFailure !== undefined) this.#ports.log.info('Prometheus answers again');
    this.#lastFailure = undefined;
    if (this.#isReady || this.#cycle.state.tickMs === undefined) return;
    this.#ports.log.info({ gpus: this.#cycle.state.gpus.size }, 'ready');
    this.#isReady = true;
  }

  #failed(error: QueryError): void {
    this.#ports.metrics.roundFailures.inc({ reason: error.kind });
    if (this.#lastFailure !== error.message) this.#ports.log.warn({ kind: error.kind }, error.message);
    this.#lastFailure = error.message;
  }

  async #restoreHolds(): Promise<void> {
    for (const { key, value } of await this.#ports.store.list('hold')) {
      const hold = parseHold(value);
      if (hold !== undefined) this.#holds = [...this.#holds, hold];
      else this.#ports.log.error({ hold: key }, 'a stored hold is damaged and does not apply; place it again');
    }
  }

  async #restore(): Promise<void> {
    const [saved] = await this.#ports.store.list('checkpoint');
    if (saved === undefined) return;
    const checkpoint = parseCheckpoint(saved.value);
    const state = checkpoint === undefined ? undefined : restoreFleet(this.#cycle.plan, checkpoint);
    if (state !== undefined) {
      state.maintenance = this.#cycle.maintenance(this.#cycle.plan.policy);
      this.#cycle = { ...this.#cycle, state };
    } else this.#ports.log.info('the checkpoint is damaged or belongs to another policy: history is read anew');
  }

  async #checkpoint(): Promise<void> {
    const { plan, state } = this.#cycle;
    const value = saveFleet(plan, state);
    if (value === undefined) return;
    this.#savedAtMs = this.#ports.clock.now();
    try {
      await this.#ports.store.write('checkpoint', { put: [{ key: CHECKPOINT_KEY, value }] });
      this.#ports.metrics.checkpoints.inc({ result: 'ok' });
    } catch (error) {
      this.#ports.metrics.checkpoints.inc({ result: 'failed' });
      this.#ports.log.error({ err: error }, 'the checkpoint could not be written; a restart will read more history');
    }
  }

  readonly #onTick = (events: readonly FleetEvent[], isReplay: boolean): void => {
    this.#ports.metrics.ticks.inc({ mode: isReplay ? 'replay' : 'live' });
    // What happened while Prometheus was briefly away is news; what happened before the start is not.
    for (const event of events) logEvent(this.#ports.log, event, !this.#isReady);
  };
}

/** Beyond this the state's oldest windows and remembered GPUs have nothing left to say. */
function maxGapMs({ backfillMs, presence }: Policy): number {
  return Math.max(backfillMs, presence.rememberMs);
}
