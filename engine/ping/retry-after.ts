/** How long an agent asks to be left alone. */

const MAX_MS = 24 * 3_600_000;

/** Milliseconds that a Retry-After header asks to wait (RFC 9110: seconds or a date), at most a day; undefined when unreadable. */
export function retryAfterMs(header: unknown, nowMs: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : httpDate(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_MS);
}

// Date.parse also reads "1" or "-5", as years.
function httpDate(text: string): number {
  return /^[A-Z][a-z]+,? .*\d\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
}
