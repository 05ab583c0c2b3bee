/** A bounded queue that serves its clients in turn, so that one who asks a lot delays mostly himself. */

export interface FairQueue<Item> {
  /** False when there is no room for more from this client, or at all. */
  add(client: string, item: Item): boolean;
  /** The next item, of the client who has waited longest for a turn. */
  take(): Item | undefined;
}

export interface QueueRoom {
  readonly perClient: number;
  readonly total: number;
}

export function createFairQueue<Item>({ perClient, total }: QueueRoom): FairQueue<Item> {
  const waiting = new Map<string, Item[]>();
  let size = 0;

  return {
    add(client, item) {
      const own = waiting.get(client) ?? [];
      if (size >= total || own.length >= perClient) return false;
      waiting.set(client, [...own, item]);
      size += 1;
      return true;
    },
    take() {
      for (const [client, [first, ...rest]] of waiting) {
        // Whoever has more goes to the end of the line.
        waiting.delete(client);
        if (rest.length > 0) waiting.set(client, rest);
        size -= 1;
        return first;
      }
      return undefined;
    },
  };
}
