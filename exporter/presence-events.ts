/** What happened to the GPUs of a node, round by round: the news behind the counters. */

import type { GpuPresence, Presence, PresenceEvent } from './presence.ts';
import type { XidEvent } from './snapshot.ts';

export interface Findings {
  readonly before: Presence;
  readonly found: readonly GpuPresence[];
  readonly counterEpoch: Presence['counterEpoch'];
  readonly xids: readonly XidEvent[];
  /** The end of the round. */
  readonly atMs: number;
}

/** The events of one round, the oldest first; the order in which a source lists things does not show. */
export function newsOf({ before, found, counterEpoch, xids, atMs }: Findings): readonly PresenceEvent[] {
  const news = [
    ...found.flatMap((gpu) => turns(before.gpus[gpu.identity.uuid], gpu, atMs)),
    ...xids.map(({ uuid, code, atMs }): PresenceEvent => ({ kind: 'xid', atMs, uuid, code })),
    ...restarts(before.counterEpoch, counterEpoch, atMs),
  ];
  return news.length < 2 ? news : news.toSorted(inOrder);
}

/** The newest `max` of all; the very same array when there is no news. */
export function addEvents(
  events: readonly PresenceEvent[],
  news: readonly PresenceEvent[],
  max: number,
): readonly PresenceEvent[] {
  return news.length === 0 ? events : [...events, ...news].slice(-max);
}

function turns(before: GpuPresence | undefined, { identity, reason }: GpuPresence, atMs: number): PresenceEvent[] {
  const { uuid } = identity;
  const wasLost = before?.lostSinceMs !== undefined;
  const appeared: PresenceEvent[] = before === undefined ? [{ kind: 'appeared', atMs, uuid }] : [];
  if (reason !== undefined) return wasLost ? [] : [...appeared, { kind: 'lost', atMs, uuid, reason }];
  return wasLost ? [{ kind: 'returned', atMs, uuid }] : appeared;
}

// The first epoch is no restart: nobody knows what came before it.
function restarts(before: Presence['counterEpoch'], after: Presence['counterEpoch'], atMs: number): PresenceEvent[] {
  if (before === undefined || after === undefined || before.id === after.id) return [];
  return [{ kind: 'counters-restarted', atMs, epoch: after.id }];
}

function inOrder(left: PresenceEvent, right: PresenceEvent): number {
  return left.atMs - right.atMs || (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1);
}
