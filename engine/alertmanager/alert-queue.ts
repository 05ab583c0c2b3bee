/** Alerts that wait for one Alertmanager: one message per alert, the newest. */
import { RESOLVED_RETENTION_MS } from '../core/alert.ts';
import type { OutgoingAlert } from './outgoing.ts';

/** The last message about an end is sent when the retention is just over, and waits its turn after that. */
const LATENESS_MS = 60_000;

/** How often a queue that nobody empties is searched for alerts that are long over. */
const SWEEP_EVERY_MS = 60_000;

export class AlertQueue {
  readonly #alerts = new Map<string, OutgoingAlert>();
  #sweptAt = Number.NEGATIVE_INFINITY;
  /** Alerts that were over for too long before they could be delivered. */
  expired = 0;

  get size(): number {
    return this.#alerts.size;
  }

  has(fingerprint: string): boolean {
    return this.#alerts.has(fingerprint);
  }

  /** The newest message of an alert replaces the one that waits, in its place. */
  put(alerts: readonly OutgoingAlert[], now: number): void {
    for (const alert of alerts) this.#alerts.set(alert.fingerprint, joined(this.#alerts.get(alert.fingerprint), alert));
    if (now - this.#sweptAt >= SWEEP_EVERY_MS) this.#sweep(now);
  }

  /** Gives back what could not be delivered, unless something newer waits by now. */
  putBack(alerts: readonly OutgoingAlert[]): void {
    for (const alert of alerts) if (!this.has(alert.fingerprint)) this.#alerts.set(alert.fingerprint, alert);
  }

  /** Takes at most `limit` alerts, oldest first. One that `isAlone` accepts is taken by itself. */
  take(limit: number, now: number, isAlone: (alert: OutgoingAlert) => boolean): OutgoingAlert[] {
    const batch: OutgoingAlert[] = [];
    for (const [fingerprint, alert] of this.#alerts) {
      if (batch.length === limit || (batch.length > 0 && isAlone(alert))) break;
      this.#alerts.delete(fingerprint);
      if (isLongOver(alert, now)) this.expired++;
      else batch.push(alert);
      if (batch.length > 0 && isAlone(alert)) break;
    }
    return batch;
  }

  /** Without it, alerts that come and go while the peer is away for hours would pile up. */
  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [fingerprint, alert] of this.#alerts) {
      if (!isLongOver(alert, now)) continue;
      this.#alerts.delete(fingerprint);
      this.expired++;
    }
  }
}

function isLongOver({ endsAt }: OutgoingAlert, now: number): boolean {
  return endsAt <= now - RESOLVED_RETENTION_MS - LATENESS_MS;
}

/** Two alerts that relabelling made one begin with the first, as they would if the Alertmanager had got both. */
function joined(waiting: OutgoingAlert | undefined, alert: OutgoingAlert): OutgoingAlert {
  if (waiting === undefined || waiting.source === alert.source || waiting.startsAt >= alert.startsAt) return alert;
  return waiting.endsAt < alert.startsAt ? alert : { ...alert, startsAt: waiting.startsAt };
}
