/** Calendar months in UTC: budgets are per month. */
import { isoSecond } from './instant.ts';

const DAY_MS = 24 * 3600 * 1000;
const LONGEST_MONTH_MS = 31 * DAY_MS;

/** First instant of the month that holds `atMs` and of the one after it, milliseconds since the epoch. */
export function monthOf(atMs: number): { readonly startMs: number; readonly endMs: number } {
  const startMs = monthStart(atMs);
  return { startMs, endMs: monthStart(startMs + LONGEST_MONTH_MS) };
}

function monthStart(atMs: number): number {
  const dayOfMonth = Number(isoSecond(atMs).slice(8, 10));
  return Math.floor(atMs / DAY_MS) * DAY_MS - (dayOfMonth - 1) * DAY_MS;
}
