/** Planned maintenance as this engine has heard of it: polled from the Alertmanagers, durable before it counts. */
import type { Logger } from 'pino';
import { pollSilences, type SilencePeer } from './alertmanager/silences.ts';
import type { Judged } from './core/fleet.ts';
import { keptMaintenanceMs, type MaintenanceCalendar, planMaintenance } from './core/maintenance.ts';
import type { MaintenanceView, PeerHealth, RefusedSilence } from './core/maintenance-report.ts';
import { hear, isDeclared, type MaintenanceSpan, refusalOf, type Silence } from './core/maintenance-span.ts';
import type { Policy } from './core/policy.ts';
import { maintenanceNews, type NodeStates } from './maintenance-news.ts';
import { parseMaintenanceSpan } from './saved-state.ts';
import type { Clock } from './scheduler.ts';
import type { Store } from './store/store.ts';

export interface MaintenancePorts {
  readonly clock: Clock;
  readonly store: Store;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Every Alertmanager whose silences count; they come and go. */
  readonly peers: () => readonly SilencePeer[];
  /** The policy in force and what has been judged by it. */
  readonly judged: () => Judged;
  readonly pollMs?: number;
}

/** Half of the shortest notice a policy may give, so that every engine hears of a change before it counts. */
const POLL_MS = 15_000;

export class Maintenance {
  readonly #ports: MaintenancePorts;
  #spans: readonly MaintenanceSpan[] = [];
  #calendars = new WeakMap<Policy, MaintenanceCalendar>();
  #refused: readonly RefusedSilence[] = [];
  #health: ReadonlyMap<string, PeerHealth> = new Map();
  #nodeStates: NodeStates = new Map();

  private constructor(ports: MaintenancePorts) {
    this.#ports = ports;
  }

  /** Takes up what was declared before. Rejects when the store cannot be read. */
  static async open(ports: MaintenancePorts): Promise<Maintenance> {
    const maintenance = new Maintenance(ports);
    for (const { key, value } of await ports.store.list('maintenance')) {
      const span = parseMaintenanceSpan(value);
      if (span !== undefined) maintenance.#spans = [...maintenance.#spans, span];
      else ports.log.error({ maintenance: key }, 'a stored maintenance is damaged and does not count');
    }
    return maintenance;
  }

  /** Polls until the signal aborts; does nothing while the policy grants no maintenance. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.poll(signal);
      await this.#ports.clock.sleep(this.#ports.pollMs ?? POLL_MS, signal);
    }
  }

  /** Hears of the silences once. Never rejects: what is known stays known, with its last known end. */
  async poll(signal: AbortSignal): Promise<void> {
    if (this.#ports.judged().plan.policy.maintenance === undefined) return;
    const { silences, answers } = await pollSilences(this.#ports.peers(), signal);
    if (signal.aborted) return;
    for (const { url, failure } of answers) this.#heardFrom(url, failure);
    try {
      await this.#adopt(silences);
    } catch (error) {
      this.#ports.log.error({ err: error }, 'declared maintenance could not be stored, so it does not count yet');
    }
    this.#tellRefusals(silences);
    this.#tellNodes();
  }

  /** Maintenance under a policy; undefined when it grants none. */
  calendar(policy: Policy): MaintenanceCalendar | undefined {
    const known = this.#calendars.get(policy) ?? planMaintenance(policy, this.#spans);
    if (known !== undefined) this.#calendars.set(policy, known);
    return known;
  }

  view(): MaintenanceView {
    const { policy } = this.#ports.judged().plan;
    return {
      calendar: this.calendar(policy),
      refused: this.#refused,
      peers: this.#ports.peers().map(({ url }) => this.#healthOf(url)),
    };
  }

  /** Counts only once it is durable; a tick judged meanwhile moves the beginning, so it is written until none was. */
  async #adopt(silences: readonly Silence[]): Promise<void> {
    const nowMs = this.#ports.clock.now();
    const outdated = this.#outdated(nowMs);
    let changes = this.#changes(silences, nowMs);
    if (changes.length === 0 && outdated.length === 0) return;
    for (let written: readonly MaintenanceSpan[] = []; ; ) {
      const dropped = written.filter(({ id }) => !changes.some((span) => span.id === id));
      const put = changes.map((span) => ({ key: span.id, value: span }));
      await this.#ports.store.write('maintenance', { put, remove: [...outdated, ...dropped.map(({ id }) => id)] });
      written = changes;
      changes = this.#changes(silences, nowMs);
      if (JSON.stringify(changes) === JSON.stringify(written)) break;
    }
    const replaced = new Set([...outdated, ...changes.map(({ id }) => id)]);
    for (const span of changes) this.#tellChange(span);
    this.#spans = [...this.#spans.filter(({ id }) => !replaced.has(id)), ...changes];
    this.#calendars = new WeakMap();
  }

  #changes(silences: readonly Silence[], nowMs: number): readonly MaintenanceSpan[] {
    const { plan, state } = this.#ports.judged();
    const openFromMs = state.tickMs === undefined ? undefined : state.tickMs + plan.policy.intervalMs;
    const bySilence = Map.groupBy(this.#spans, ({ silence }) => silence);
    return silences.flatMap((silence) =>
      hear(bySilence.get(silence.id) ?? [], silence, { policy: plan.policy, nowMs, openFromMs }),
    );
  }

  #outdated(nowMs: number): readonly string[] {
    const keptMs = keptMaintenanceMs(this.#ports.judged().plan.policy);
    return this.#spans.filter(({ toMs }) => toMs + keptMs < nowMs).map(({ id }) => id);
  }

  #healthOf(url: string): PeerHealth {
    return this.#health.get(url) ?? { url, heardAtMs: undefined, failure: undefined, failures: 0 };
  }

  #heardFrom(url: string, failure: string | undefined): void {
    const before = this.#healthOf(url);
    if (failure !== undefined && before.failure !== failure) {
      this.#ports.log.warn(`Alertmanager ${url} tells no silences: it ${failure}; known maintenance keeps its end`);
    }
    const heardAtMs = failure === undefined ? this.#ports.clock.now() : before.heardAtMs;
    const failures = before.failures + (failure === undefined ? 0 : 1);
    const stillHere = new Set(this.#ports.peers().map((peer) => peer.url));
    const others = [...this.#health].filter(([other]) => stillHere.has(other));
    this.#health = new Map([...others, [url, { url, heardAtMs, failure, failures }]]);
  }

  #tellChange({ silence, fromMs, toMs, createdBy, comment, id }: MaintenanceSpan): void {
    const isNew = !this.#spans.some((span) => span.id === id);
    const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
    this.#ports.log.info(
      { silence, from, to, createdBy, comment },
      isNew ? 'maintenance declared' : 'maintenance moved',
    );
  }

  /** Whoever declares maintenance and gets none should hear why. */
  #tellRefusals(silences: readonly Silence[]): void {
    const { policy } = this.#ports.judged().plan;
    const nowMs = this.#ports.clock.now();
    const current = silences.filter(({ endsAtMs }) => endsAtMs > nowMs);
    const refused = current.flatMap((silence): RefusedSilence[] => {
      const reason = refusalOf(policy, silence);
      const isMeant = policy.maintenance !== undefined && isDeclared(policy.maintenance, silence);
      return reason === undefined || !isMeant ? [] : [{ silence, reason }];
    });
    for (const { silence, reason } of refused) {
      if (this.#refused.some((told) => told.silence.id === silence.id && told.reason === reason)) continue;
      this.#ports.log.warn(
        { silence: silence.id, createdBy: silence.createdBy },
        `a silence is no maintenance: ${reason}`,
      );
    }
    this.#refused = refused;
  }

  #tellNodes(): void {
    const { states, news } = maintenanceNews(
      this.#nodeStates,
      this.#ports.judged(),
      this.view(),
      this.#ports.clock.now(),
    );
    for (const { node, text, isProblem } of news) this.#ports.log[isProblem ? 'warn' : 'info']({ node }, text);
    this.#nodeStates = states;
  }
}
