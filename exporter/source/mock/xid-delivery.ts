/** The XIDs of a node, each delivered once, to whoever reads it next. */

import type { XidEvent } from '../../snapshot.ts';
import type { Card } from './card.ts';
import type { Circumstances } from './circumstances.ts';
import { isActive } from './effects.ts';
import { addedXids, everydayXids, type RaisedXid } from './errors.ts';

export interface XidDelivery {
  /** Those that were not delivered yet, raised at `toMs` of scenario time or before it, and dated in scenario time. */
  take(cards: readonly Card[], acting: Circumstances, toMs: number): readonly XidEvent[];
}

/** How far XIDs have been delivered: up to this instant, and of events below this id. */
interface Delivered {
  readonly untilMs: number;
  readonly nextId: number;
}

/** Begins to listen at an instant of scenario time, with the events below `nextId` known. */
export function createXidDelivery(sinceMs: number, nextId: number): XidDelivery {
  // At the start of the scenario there is no before: what happens at that very instant is heard.
  let delivered: Delivered = { untilMs: sinceMs || -1, nextId };
  return {
    take: (cards, acting, toMs) => {
      const raised = cards.flatMap((card) => {
        const isHeard = ({ atMs }: RaisedXid) => isRunning(acting, atMs);
        const own = xidsOf(card, acting, { delivered, toMs }).filter(isHeard);
        return own.map(({ atMs, code }) => ({ atMs, uuid: card.identity.uuid, code }));
      });
      delivered = { untilMs: toMs, nextId: acting.schedule.nextId };
      return raised.toSorted((one, other) => one.atMs - other.atMs);
    },
  };
}

function xidsOf(
  card: Card,
  { schedule, influences }: Circumstances,
  { delivered, toMs }: { readonly delivered: Delivered; readonly toMs: number },
): readonly RaisedXid[] {
  const reading = { afterMs: delivered.untilMs, toMs };
  const own = influences[card.index] ?? [];
  const known = own.filter(({ id }) => id < delivered.nextId);
  // What was asked for since the last reading may have begun at the very instant of that reading.
  const added = schedule.nextId === delivered.nextId ? [] : own.filter(({ id }) => id >= delivered.nextId);
  const fresh = addedXids(card, added, { afterMs: -1, toMs });
  return [...everydayXids(card, reading), ...addedXids(card, known, reading), ...fresh];
}

// A driver that is not there reports nothing; a hanging exporter hears it later.
function isRunning({ outages }: Circumstances, atMs: number): boolean {
  return !outages.some((outage) => outage.effect.kind !== 'exporter-hang' && isActive(outage, atMs));
}
