/** The port for the little that exists nowhere else: checkpoints, alert states, operator holds, maintenance. */

/** One record. `value` is JSON-serialisable; `key` is unique within its kind. */
export interface StoreRecord {
  readonly key: string;
  readonly value: unknown;
}

export type RecordKind = 'checkpoint' | 'alert' | 'hold' | 'maintenance' | 'ping_watch';

export interface Store {
  /** All records of a kind, by key; the value of one that is damaged is undefined. */
  list(kind: RecordKind): Promise<readonly StoreRecord[]>;
  /** Replaces or adds `put` and deletes `remove` in one transaction: all of it is durable, or none. */
  write(
    kind: RecordKind,
    change: { readonly put?: readonly StoreRecord[]; readonly remove?: readonly string[] },
  ): Promise<void>;
  close(): Promise<void>;
}
