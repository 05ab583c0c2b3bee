/** Failed driver calls since the exporter started: each driver process counts its own, and starts with nothing. */

import type { CallErrorCount } from '../../snapshot.ts';

export interface CallErrorTotals {
  /** What one process has counted since it began. */
  update(process: number, counts: readonly CallErrorCount[]): void;
  /** The sum over all processes. */
  totals(): readonly CallErrorCount[];
}

export function createCallErrorTotals(): CallErrorTotals {
  let past: readonly CallErrorCount[] = [];
  let current: readonly CallErrorCount[] = [];
  let currentProcess: number | undefined;
  return {
    update: (process, counts) => {
      if (process !== currentProcess) past = sum(past, current);
      currentProcess = process;
      current = counts;
    },
    totals: () => sum(past, current),
  };
}

function sum(a: readonly CallErrorCount[], b: readonly CallErrorCount[]): readonly CallErrorCount[] {
  const totals = new Map<string, CallErrorCount>();
  for (const { call, code, count } of [...a, ...b]) {
    const key = `${call} ${code}`;
    totals.set(key, { call, code, count: count + (totals.get(key)?.count ?? 0) });
  }
  return [...totals.values()];
}
