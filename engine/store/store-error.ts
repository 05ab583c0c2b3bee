/** The store cannot be opened, read or written; `message` says which one and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}
