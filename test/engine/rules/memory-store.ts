/** A store in memory that keeps JSON, like the real ones, and can be made to fail. */
import type { RecordKind, Store, StoreRecord } from '../../../engine/store/store.ts';

export class MemoryStore implements Store {
  failure: Error | undefined;
  writes = 0;
  /** Keys in the order written. */
  readonly puts: string[] = [];
  readonly #kinds = new Map<RecordKind, Map<string, string>>();

  async list(kind: RecordKind): Promise<readonly StoreRecord[]> {
    this.#check();
    return [...this.#records(kind)].map(([key, json]) => ({ key, value: JSON.parse(json) }));
  }

  async write(kind: RecordKind, change: { put?: readonly StoreRecord[]; remove?: readonly string[] }): Promise<void> {
    this.#check();
    this.writes++;
    this.puts.push(...(change.put ?? []).map(({ key }) => key));
    for (const { key, value } of change.put ?? []) this.#records(kind).set(key, JSON.stringify(value));
    for (const key of change.remove ?? []) this.#records(kind).delete(key);
  }

  /** What a process finds that starts after a kill. */
  copy(): MemoryStore {
    const store = new MemoryStore();
    for (const [kind, records] of this.#kinds) store.#kinds.set(kind, new Map(records));
    return store;
  }

  async close(): Promise<void> {}

  #check(): void {
    if (this.failure) throw this.failure;
  }

  #records(kind: RecordKind): Map<string, string> {
    const records = this.#kinds.get(kind) ?? new Map<string, string>();
    this.#kinds.set(kind, records);
    return records;
  }
}
