/** XIDs of one GPU: how often each code was seen within a window, and since the start. A fold over the XIDs of the snapshots. */

export interface XidCounts {
  /** The newest last. An entry stands for all XIDs of its code that came shortly after it. */
  readonly recent: readonly RecentXids[];
  /** By code, since the start. */
  readonly totals: ReadonlyMap<number, number>;
}

interface RecentXids {
  readonly code: number;
  readonly atMs: number;
  readonly count: number;
}

export const noXids: XidCounts = { recent: [], totals: new Map() };

// NVML's own code for an XID it cannot name. Drivers know fewer than 200 codes; a GPU that reports more reports nonsense.
const unnamedCode = 999;
const maxCodes = 256;

// XIDs of one code that come within this part of a window leave it together, so that a storm takes bounded memory.
const entriesPerWindow = 1000;

/** The counts after one more XID. Code 0 means that there was none. */
export function addXid(
  counts: XidCounts,
  xid: { readonly code: number; readonly atMs: number },
  windowMs: number,
): XidCounts {
  if (xid.code === 0) return counts;
  const isNamed = counts.totals.has(xid.code) || counts.totals.size < maxCodes;
  const code = isNamed ? xid.code : unnamedCode;
  const totals = new Map(counts.totals).set(code, (counts.totals.get(code) ?? 0) + 1);
  return { totals, recent: addRecent(counts.recent, { code, atMs: xid.atMs }, windowMs / entriesPerWindow) };
}

function addRecent(
  recent: readonly RecentXids[],
  { code, atMs }: { readonly code: number; readonly atMs: number },
  togetherMs: number,
): readonly RecentXids[] {
  const nth = recent.findLastIndex((entry) => entry.code === code);
  const last = recent[nth];
  if (last === undefined || atMs - last.atMs >= togetherMs) return [...recent, { code, atMs, count: 1 }];
  return recent.with(nth, { ...last, count: last.count + 1 });
}

/** Drops what no window that ends at `atMs` or later can hold. */
export function forgetXids(counts: XidCounts, atMs: number, windowMs: number): XidCounts {
  const [oldest] = counts.recent;
  if (oldest === undefined || oldest.atMs >= atMs - windowMs) return counts;
  return { ...counts, recent: counts.recent.filter((entry) => entry.atMs >= atMs - windowMs) };
}

/** How often each code was seen in the window that ends at `atMs`; codes that were not seen are left out. */
export function recentXids({ recent }: XidCounts, atMs: number, windowMs: number): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const entry of recent)
    if (entry.atMs >= atMs - windowMs) counts.set(entry.code, (counts.get(entry.code) ?? 0) + entry.count);
  return counts;
}
