/** Actions as gates see them: the newest tick's, and those of alerts that the engine's own rules have fired since. */
import { actionOf, type FiringAlert } from './core/action.ts';
import type { ActionBook } from './core/action-book.ts';
import { withLiveAlerts } from './core/action-state.ts';
import type { AlertMessage, AlertSink } from './core/delivery.ts';
import type { Judged } from './core/fleet.ts';
import type { ActiveAlert } from './rules/status.ts';

export interface LiveActionPorts {
  readonly judged: () => Judged;
  readonly activeAlerts: () => readonly ActiveAlert[];
  /** Where alerts go on to. */
  readonly sink: AlertSink;
}

/** Stands before the sink of alerts: whenever one is sent, because it fires or ends, the next gate hears of it. */
export class LiveActions implements AlertSink {
  readonly #ports: LiveActionPorts;
  #made: Made | undefined;

  constructor(ports: LiveActionPorts) {
    this.#ports = ports;
  }

  send(messages: readonly AlertMessage[]): void {
    this.#made = undefined;
    this.#ports.sink.send(messages);
  }

  /** The book of the moment, made anew only after a tick or when an alert was sent. */
  book(): ActionBook {
    const { plan, state } = this.#ports.judged();
    const made = this.#made;
    if (made?.plan === plan && made.state === state && made.tickMs === state.tickMs) return made.book;
    const book = withLiveAlerts({ plan, state }, this.#ports.activeAlerts().flatMap(firingAlert));
    this.#made = { plan, state, tickMs: state.tickMs, book };
    return book;
  }
}

/** A book and what it was made of; the state is updated in place, so its tick is part of that. */
interface Made extends Judged {
  readonly tickMs: number | undefined;
  readonly book: ActionBook;
}

function firingAlert({ state, labels, annotations, firedAt }: ActiveAlert): readonly FiringAlert[] {
  if (state !== 'firing' || firedAt === undefined || actionOf({ labels }) === undefined) return [];
  return [{ labels, summary: annotations.summary ?? '', sinceMs: firedAt }];
}
