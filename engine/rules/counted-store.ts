/** Counts what the store does not take. */
import type { Store } from '../store/store.ts';

export interface SaveStats {
  /** Writes of alerts that failed. */
  failed: number;
}

/** The same store; a write that fails is counted in `stats`, and fails. */
export function countedStore(store: Store, stats: SaveStats): Store {
  return {
    list: (kind) => store.list(kind),
    close: () => store.close(),
    write: async (kind, change) => {
      try {
        await store.write(kind, change);
      } catch (error) {
        stats.failed++;
        throw error;
      }
    },
  };
}
