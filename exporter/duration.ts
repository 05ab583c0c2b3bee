/** Durations as Prometheus writes them: 90s, 10m, 1h30m, 500ms, 0s. */

const units = [
  { name: 'w', ms: 604_800_000 },
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'm', ms: 60_000 },
  { name: 's', ms: 1000 },
  { name: 'ms', ms: 1 },
] as const;

const written = /^(?=\d)(\d{1,9}w)?(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m(?!s))?(\d{1,9}s)?(\d{1,9}ms)?$/;

/** Milliseconds; undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!written.test(text)) return undefined;
  const parts = text.matchAll(/(\d+)(ms|[wdhms])/g);
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * msOf(unit), 0);
}

function msOf(name: string | undefined): number {
  return units.find((unit) => unit.name === name)?.ms ?? 0;
}
