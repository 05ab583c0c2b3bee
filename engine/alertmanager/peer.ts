/** One Alertmanager and the alerts that wait for it. */
import { RESOLVED_RETENTION_MS } from '../core/alert.ts';
import type { AlertMessage, AlertSink } from '../core/delivery.ts';
import { encodeAlert } from './payload.ts';
import { postAlerts } from './post.ts';

export interface PeerOptions {
  /** Base URL of the Alertmanager. */
  readonly url: string;
  /** Base URL of Prometheus for the links in alerts. */
  readonly prometheusUrl: string;
  readonly batchSize?: number;
  /** Limit of one POST. */
  readonly timeoutMs?: number;
  /** Pause after the first failure; doubles with every further one. */
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

export interface PeerPorts {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** 0 ≤ random < 1. */
  random(): number;
  /** Told once when deliveries begin to fail, and of every alert the peer refuses. */
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
}

const DEFAULTS = { batchSize: 64, timeoutMs: 10_000, firstBackoffMs: 500, maxBackoffMs: 30_000 };

/**
 * Delivers alerts to one Alertmanager, in batches, until it has them. The queue holds one message per alert, the
 * newest, so however long the peer is away it cannot outgrow the alerts that are active or lately resolved.
 */
export class AlertmanagerPeer implements AlertSink {
  readonly #options: PeerOptions & typeof DEFAULTS;
  readonly #ports: PeerPorts;
  readonly #queue = new Map<string, AlertMessage>();
  readonly #end = new AbortController();
  #hurry = new AbortController();
  #delivery: Promise<void> | undefined;
  #failuresInARow = 0;
  #counts = { sent: 0, failed: 0, dropped: 0 };
  #lastError: string | undefined;

  constructor(options: PeerOptions, ports: PeerPorts) {
    this.#options = { ...DEFAULTS, ...options };
    this.#ports = ports;
  }

  send(messages: readonly AlertMessage[]): void {
    if (this.#end.signal.aborted) return;
    for (const message of messages) this.#queue.set(message.key, message);
    this.#delivery ??= this.#deliverAll();
  }

  stats(): PeerStats {
    return { url: this.#options.url, queueLength: this.#queue.size, ...this.#counts, lastError: this.#lastError };
  }

  /** Delivers what is queued, for at most `deadlineMs`; what is left then is given up. */
  async close(deadlineMs: number): Promise<void> {
    const deadline = setTimeout(() => this.#end.abort(), deadlineMs);
    this.#failuresInARow = 0;
    this.#hurry.abort();
    this.#hurry = new AbortController();
    await this.#delivery;
    clearTimeout(deadline);
    this.#end.abort();
  }

  async #deliverAll(): Promise<void> {
    // Waiting a turn lets the messages of one evaluation travel in one batch.
    await Promise.resolve();
    while (this.#queue.size > 0 && !this.#end.signal.aborted) await this.#deliverBatch();
    this.#delivery = undefined;
  }

  async #deliverBatch(): Promise<void> {
    const left = await this.#post(this.#takeBatch());
    for (const message of left) {
      if (!this.#queue.has(message.key)) this.#queue.set(message.key, message);
    }
    if (left.length > 0) await this.#backOff();
  }

  #takeBatch(): AlertMessage[] {
    const longOver = this.#ports.now() - RESOLVED_RETENTION_MS;
    const batch: AlertMessage[] = [];
    for (const [key, message] of this.#queue) {
      if (batch.length === this.#options.batchSize) break;
      this.#queue.delete(key);
      if (message.endsAt > longOver) batch.push(message);
      else this.#counts.dropped++;
    }
    return batch;
  }

  /** Posts a batch; returns what has to be tried again. */
  async #post(batch: readonly AlertMessage[]): Promise<readonly AlertMessage[]> {
    if (batch.length === 0) return [];
    const { url, prometheusUrl, timeoutMs } = this.#options;
    const limit = AbortSignal.any([this.#end.signal, AbortSignal.timeout(timeoutMs)]);
    const alerts = batch.map((message) => encodeAlert(message, prometheusUrl));
    const outcome = await postAlerts(url, alerts, limit);
    if (outcome.kind === 'failed') return this.#retain(batch, outcome.reason);
    if (outcome.kind === 'accepted') this.#accept(batch);
    else if (batch.length > 1) return this.#postSingly(batch);
    else this.#refuse(batch, outcome.reason);
    return [];
  }

  /** A refused batch does not say which alert is at fault; alone, each is judged for itself. */
  async #postSingly(batch: readonly AlertMessage[]): Promise<readonly AlertMessage[]> {
    for (const [index, message] of batch.entries()) {
      const left = await this.#post([message]);
      if (left.length > 0) return batch.slice(index);
    }
    return [];
  }

  #accept(batch: readonly AlertMessage[]): void {
    this.#counts.sent += batch.length;
    this.#failuresInARow = 0;
    this.#lastError = undefined;
  }

  #refuse(batch: readonly AlertMessage[], reason: string): void {
    this.#counts.dropped += batch.length;
    const labels = JSON.stringify(batch[0]?.labels);
    this.#ports.onProblem(`Alertmanager ${this.#options.url} refuses the alert ${labels}: it ${reason}`);
  }

  #retain(batch: readonly AlertMessage[], reason: string): readonly AlertMessage[] {
    // What the shutdown cut off is not the peer's failure.
    if (this.#end.signal.aborted) return batch;
    this.#counts.failed++;
    this.#failuresInARow++;
    if (reason !== this.#lastError) {
      this.#ports.onProblem(`Alertmanager ${this.#options.url} gets no alerts: ${reason}; trying again`);
    }
    this.#lastError = reason;
    return batch;
  }

  /** Half of the pause is random, so that engines that lost the same peer do not all return at once. */
  async #backOff(): Promise<void> {
    const { firstBackoffMs, maxBackoffMs } = this.#options;
    const full = Math.min(maxBackoffMs, firstBackoffMs * 2 ** (this.#failuresInARow - 1));
    const pause = full * (0.5 + this.#ports.random() / 2);
    await this.#ports.sleep(pause, AbortSignal.any([this.#hurry.signal, this.#end.signal]));
  }
}
