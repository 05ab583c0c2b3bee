/** The store cannot be opened, read or written; `message` says which one and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/** Whether a store has failed, in its own words or in those of what it is made of. */
export function isStoreError(error: unknown): boolean {
  if (error instanceof StoreError) return true;
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}
