/** The alerts that every Alertmanager should know to be firing. */
import type { AlertMessage } from '../core/delivery.ts';

const SWEEP_EVERY_MS = 60_000;

/** Holds the newest message of each alert until it is over, so it cannot outgrow the alerts that fire. */
export class ActiveAlerts {
  readonly #messages = new Map<string, AlertMessage>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  /** Takes in messages; one that is over at `now` ends its alert. */
  update(messages: readonly AlertMessage[], now: number): void {
    for (const message of messages) {
      // Deleting first keeps the newest at the end: where relabelling makes two alerts one, the newest counts.
      this.#messages.delete(message.key);
      if (message.endsAt > now) this.#messages.set(message.key, message);
    }
    if (now - this.#sweptAt >= SWEEP_EVERY_MS) this.#sweep(now);
  }

  /** Alerts that are not over at `now`, oldest message first. */
  at(now: number): readonly AlertMessage[] {
    this.#sweep(now);
    return [...this.#messages.values()];
  }

  /** The alerts of a rule that is gone send no end; they are over when their time is. */
  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [key, { endsAt }] of this.#messages) if (endsAt <= now) this.#messages.delete(key);
  }
}
