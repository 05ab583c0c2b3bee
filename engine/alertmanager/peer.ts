/** One Alertmanager: the alerts that wait for it, their delivery, and the check that it holds them. */
import type { HttpClient } from '../http-client/client.ts';
import { AlertQueue } from './alert-queue.ts';
import { nameOf } from './discovery/address.ts';
import { HoldingCheck } from './holding-check.ts';
import type { OutgoingAlert } from './outgoing.ts';
import { encodeAlert } from './payload.ts';
import { type PostOutcome, postAlerts } from './post.ts';

export interface PeerOptions {
  /** Where alerts are posted to, path included. */
  readonly url: string;
  readonly client: HttpClient;
  /** Firing alerts that the Alertmanager should hold now. */
  active(): readonly OutgoingAlert[];
  readonly batchSize?: number;
  /** Limit of one request. */
  readonly timeoutMs?: number;
  /** Pause after the first failure; doubles with every further one. */
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** Time between two checks of what the Alertmanager holds. */
  readonly checkEveryMs?: number;
}

export interface PeerPorts {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** 0 ≤ random < 1. */
  random(): number;
  /** Told once when deliveries begin to fail, when alerts are missing, and of every alert the peer refuses. */
  onProblem(message: string): void;
}

export interface PeerStats {
  readonly url: string;
  readonly queueLength: number;
  /** Alerts the peer has accepted. */
  readonly sent: number;
  /** POSTs that failed and were or will be tried again. */
  readonly failed: number;
  /** Alerts given up: the peer refused them, or they were over before it could be reached. */
  readonly dropped: number;
  /** Why deliveries fail now; undefined while they succeed. */
  readonly lastError: string | undefined;
  /** All POSTs so far, and the time they took together. */
  readonly posts: number;
  readonly postMs: number;
  /** Alerts it had accepted and did not hold at a check; they were sent again. */
  readonly missing: number;
  /** Instant of the last check that could be made. */
  readonly checkedAt: number | undefined;
}

const DEFAULTS = {
  batchSize: 64,
  timeoutMs: 10_000,
  firstBackoffMs: 500,
  maxBackoffMs: 30_000,
  checkEveryMs: 60_000,
};

/** A peer may ask for patience, not for silence. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Delivers alerts to one Alertmanager, in batches, until it has them. The queue holds one message per alert, the
 * newest, so however long the peer is away it cannot outgrow the alerts that are active or lately resolved.
 */
export class AlertmanagerPeer {
  readonly #options: PeerOptions & typeof DEFAULTS;
  readonly #ports: PeerPorts;
  readonly #name: string;
  readonly #queue = new AlertQueue();
  readonly #check: HoldingCheck;
  readonly #end = new AbortController();
  #hurry = new AbortController();
  #delivery: Promise<void> | undefined;
  #checks: Promise<void> | undefined;
  #inFlight: ReadonlySet<string> = new Set();
  /** Alerts that the peer refuses: they go alone from then on, and are reported once. */
  #refused = new Set<string>();
  #failuresInARow = 0;
  #retryAfterMs = 0;
  #counts = { sent: 0, failed: 0, refused: 0, posts: 0, postMs: 0 };
  #lastError: string | undefined;

  constructor(options: PeerOptions, ports: PeerPorts) {
    this.#options = { ...DEFAULTS, ...options };
    this.#ports = ports;
    this.#name = nameOf(options.url);
    this.#check = new HoldingCheck(
      { ...this.#options, name: this.#name },
      {
        ...ports,
        expected: () => this.#expected(options.active()),
        // While nothing can be delivered, there is nothing to compare.
        isWorthwhile: () => this.#lastError === undefined,
        onMissing: (missing) => this.send(options.active().filter(({ fingerprint }) => missing.has(fingerprint))),
      },
    );
  }

  send(alerts: readonly OutgoingAlert[]): void {
    if (this.#end.signal.aborted) return;
    this.#queue.put(alerts, this.#ports.now());
    this.#delivery ??= this.#deliverAll();
  }

  /** Begins to check regularly what the Alertmanager holds. */
  startChecks(): void {
    this.#checks ??= this.#check.run(AbortSignal.any([this.#end.signal, this.#hurry.signal]));
  }

  stats(): PeerStats {
    const { refused, ...counts } = this.#counts;
    return {
      url: this.#name,
      queueLength: this.#queue.size,
      ...counts,
      dropped: refused + this.#queue.expired,
      lastError: this.#lastError,
      missing: this.#check.missing,
      checkedAt: this.#check.checkedAt,
    };
  }

  /** Delivers what is queued, for at most `deadlineMs`; what is left then is given up. A second call may set an earlier deadline. */
  async close(deadlineMs: number): Promise<void> {
    const deadline = setTimeout(() => this.#end.abort(), deadlineMs);
    this.#failuresInARow = 0;
    this.#hurry.abort();
    this.#hurry = new AbortController();
    await Promise.all([this.#delivery, this.#checks]);
    clearTimeout(deadline);
    this.#end.abort();
  }

  #expected(active: readonly OutgoingAlert[]): readonly OutgoingAlert[] {
    this.#refused = this.#refused.intersection(new Set(active.map(({ fingerprint }) => fingerprint)));
    return active.filter(({ fingerprint }) => {
      return !(this.#queue.has(fingerprint) || this.#inFlight.has(fingerprint) || this.#refused.has(fingerprint));
    });
  }

  async #deliverAll(): Promise<void> {
    // Waiting a turn lets the messages of one evaluation travel in one batch.
    await Promise.resolve();
    while (this.#queue.size > 0 && !this.#end.signal.aborted) await this.#deliverBatch();
    this.#delivery = undefined;
  }

  async #deliverBatch(): Promise<void> {
    const isRefused = ({ fingerprint }: OutgoingAlert) => this.#refused.has(fingerprint);
    const batch = this.#queue.take(this.#options.batchSize, this.#ports.now(), isRefused);
    this.#inFlight = new Set(batch.map(({ fingerprint }) => fingerprint));
    const left = await this.#post(batch);
    this.#queue.putBack(left);
    this.#inFlight = new Set();
    if (left.length > 0) await this.#backOff();
  }

  /** Posts a batch; returns what has to be tried again. */
  async #post(batch: readonly OutgoingAlert[]): Promise<readonly OutgoingAlert[]> {
    const [first] = batch;
    if (first === undefined) return [];
    const outcome = await this.#request(batch);
    if (outcome.kind === 'failed') return this.#retain(batch, outcome);
    if (outcome.kind === 'accepted') this.#accept(batch);
    else if (batch.length > 1) return this.#postHalves(batch);
    else this.#refuse(first, outcome.reason);
    return [];
  }

  async #request(batch: readonly OutgoingAlert[]): Promise<PostOutcome> {
    const { client, url, timeoutMs } = this.#options;
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(timeoutMs)]);
    const begun = this.#ports.now();
    const outcome = await postAlerts(client, { url, alerts: batch.map(encodeAlert), signal, now: begun });
    this.#counts.posts++;
    this.#counts.postMs += this.#ports.now() - begun;
    return outcome;
  }

  /** A refused batch does not say which alert is at fault, and one that is too large may pass in parts. */
  async #postHalves(batch: readonly OutgoingAlert[]): Promise<readonly OutgoingAlert[]> {
    const middle = Math.ceil(batch.length / 2);
    const left = await this.#post(batch.slice(0, middle));
    return left.length > 0 ? [...left, ...batch.slice(middle)] : this.#post(batch.slice(middle));
  }

  #accept(batch: readonly OutgoingAlert[]): void {
    for (const { fingerprint } of batch) this.#refused.delete(fingerprint);
    this.#counts.sent += batch.length;
    this.#failuresInARow = 0;
    this.#lastError = undefined;
  }

  #refuse({ fingerprint, labels }: OutgoingAlert, reason: string): void {
    this.#counts.refused++;
    if (this.#refused.has(fingerprint)) return;
    this.#refused.add(fingerprint);
    this.#ports.onProblem(`Alertmanager ${this.#name} refuses the alert ${JSON.stringify(labels)}: it ${reason}`);
  }

  #retain(
    batch: readonly OutgoingAlert[],
    { reason, retryAfterMs = 0 }: Extract<PostOutcome, { readonly kind: 'failed' }>,
  ): readonly OutgoingAlert[] {
    // What the shutdown cut off is not the peer's failure.
    if (this.#end.signal.aborted) return batch;
    this.#counts.failed++;
    this.#failuresInARow++;
    this.#retryAfterMs = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
    if (reason !== this.#lastError) {
      this.#ports.onProblem(`Alertmanager ${this.#name} gets no alerts: ${reason}; trying again`);
    }
    this.#lastError = reason;
    return batch;
  }

  /** Half of the pause is random, so that engines that lost the same peer do not all return at once. */
  async #backOff(): Promise<void> {
    const { firstBackoffMs, maxBackoffMs } = this.#options;
    const full = Math.min(maxBackoffMs, firstBackoffMs * 2 ** (this.#failuresInARow - 1));
    const pause = Math.max(this.#retryAfterMs, full * (0.5 + this.#ports.random() / 2));
    await this.#ports.sleep(pause, AbortSignal.any([this.#hurry.signal, this.#end.signal]));
  }
}
