/** Pings summed up by hour and outcome, as every adapter keeps them. */
import type { PingRecord } from '../core/ping/state.ts';
import type { PingTotal } from './ping-store.ts';

const HOUR_MS = 3_600_000;

/** The start of the hour in which the instant lies. */
export function hourOf(atMs: number): number {
  return Math.floor(atMs / HOUR_MS) * HOUR_MS;
}

/** One total per hour and outcome that occurs. */
export function totalsOf(records: readonly PingRecord[]): readonly PingTotal[] {
  const totals = new Map<string, PingTotal>();
  for (const { atMs, outcome, roundTripMs } of records) {
    const hourMs = hourOf(atMs);
    const key = `${hourMs} ${outcome}`;
    const { pings, answered, roundTripMs: sumMs } = totals.get(key) ?? { pings: 0, answered: 0, roundTripMs: 0 };
    const more =
      roundTripMs === undefined
        ? { answered, roundTripMs: sumMs }
        : { answered: answered + 1, roundTripMs: sumMs + roundTripMs };
    totals.set(key, { hourMs, outcome, pings: pings + 1, ...more });
  }
  return [...totals.values()];
}
