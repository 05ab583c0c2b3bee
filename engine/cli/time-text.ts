/** Instants and lengths of time for people; both come as seconds, as engines give them. */
import { formatDuration } from '../policy/duration.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** In its two largest units: `45s`, `12m30s`, `1h5m`, `2d3h`; the shortest as `1.3s` and `12ms`. */
export function spanText(seconds: number): string {
  const ms = Math.max(0, seconds * 1000);
  if (ms >= 999.5 && ms < 9_950) return `${Math.round(ms / 100) / 10}s`;
  return formatDuration(Math.round(ms / unitOf(ms)) * unitOf(ms));
}

function unitOf(ms: number): number {
  if (ms >= DAY_MS) return HOUR_MS;
  if (ms >= HOUR_MS) return MINUTE_MS;
  return ms >= 1000 ? 1000 : 1;
}

/** `in 12m30s`, `now`, or `3s late`. */
export function dueText(atSeconds: number, nowSeconds: number): string {
  const seconds = Math.round(atSeconds - nowSeconds);
  if (seconds === 0) return 'now';
  return seconds > 0 ? `in ${spanText(seconds)}` : `${spanText(-seconds)} late`;
}

/** As `dueText`, of a ping: one that is under way is due no more, and not late. */
export function nextPingText(
  ping: { readonly next_ping_at: number; readonly is_due: boolean },
  nowSeconds: number,
): string {
  const { next_ping_at: at, is_due: isDue } = ping;
  return dueText(isDue ? at : Math.max(at, nowSeconds), nowSeconds);
}

/** `3m ago`. */
export function agoText(atSeconds: number, nowSeconds: number): string {
  return `${spanText(Math.max(0, Math.round(nowSeconds - atSeconds)))} ago`;
}

/** `2026-01-05 12:00:00Z`: UTC, as the engine writes it in its reasons. */
export function instantText(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return 'an impossible time';
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
