/** Durations as Prometheus writes them: `5s`, `1h30m`, `500ms`, `0`. */

const UNITS = [
  { name: 'y', ms: 365 * 24 * 3600_000, isWhole: true },
  { name: 'w', ms: 7 * 24 * 3600_000, isWhole: true },
  { name: 'd', ms: 24 * 3600_000, isWhole: false },
  { name: 'h', ms: 3600_000, isWhole: false },
  { name: 'm', ms: 60_000, isWhole: false },
  { name: 's', ms: 1000, isWhole: false },
  { name: 'ms', ms: 1, isWhole: false },
] as const;

/** JavaScript regular expression of a duration; also the `pattern` of the JSON Schema, so editors check it too. */
export const DURATION_PATTERN = /^(?:0|(?=\d)(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?)$/;

/** Milliseconds of a Prometheus duration; undefined when the text is not one, or exceeds 2^53 ms. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  const parts = text.matchAll(/(\d+)(ms|[ywdhms])/g);
  const total = [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * unitMs(unit), 0);
  return Number.isSafeInteger(total) ? total : undefined;
}

function unitMs(name: string | undefined): number {
  return UNITS.find((unit) => unit.name === name)?.ms ?? 0;
}

/**
 * The shortest Prometheus spelling of `ms` (a whole number of milliseconds, not negative): 5400000 is `1h30m`.
 * Like Prometheus, years and weeks are used only when nothing remains, so 90 days stay `90d`.
 */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = ms;
  let text = '';
  for (const unit of UNITS) {
    const count = unit.isWhole && rest % unit.ms !== 0 ? 0 : Math.floor(rest / unit.ms);
    if (count > 0) text += `${count}${unit.name}`;
    rest -= count * unit.ms;
  }
  return text;
}
