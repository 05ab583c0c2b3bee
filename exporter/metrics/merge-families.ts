/** Several profiles on one page. */

import type { Family } from './exposition.ts';

/** A name that two profiles have is published as the first of them does: a family must appear once only. */
export function mergeFamilies(...profiles: readonly (readonly Family[])[]): readonly Family[] {
  const byName = new Map<string, Family>();
  for (const family of profiles.flat()) if (!byName.has(family.name)) byName.set(family.name, family);
  return [...byName.values()];
}
