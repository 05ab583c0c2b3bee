/** Remembers which passwords were right and which were wrong, without keeping any of them. */

import { hash, randomBytes } from 'node:crypto';

export interface VerdictCache {
  /** What names a user, a password and a hash here; it tells nothing about them outside of this process. */
  keyOf(parts: readonly string[]): string;
  get(key: string): boolean | undefined;
  set(key: string, isGranted: boolean): void;
}

/** `capacity` holds for right and wrong ones each: no flood of wrong passwords makes a right one be forgotten. */
export function createVerdictCache(capacity: number): VerdictCache {
  const secret = randomBytes(32).toString('base64');
  const granted = new Set<string>();
  const refused = new Set<string>();
  return {
    keyOf: (parts) => hash('sha256', JSON.stringify([secret, ...parts]), 'base64'),
    get: (key) => (touch(granted, key) ? true : touch(refused, key) ? false : undefined),
    set: (key, isGranted) => remember(isGranted ? granted : refused, key, capacity),
  };
}

// A set keeps the order of insertion: what was used last is put at the end, what is dropped is at the front.
function touch(known: Set<string>, key: string): boolean {
  if (!known.delete(key)) return false;
  known.add(key);
  return true;
}

function remember(known: Set<string>, key: string, capacity: number): void {
  known.add(key);
  const [oldest] = known;
  if (known.size > capacity && oldest !== undefined) known.delete(oldest);
}
