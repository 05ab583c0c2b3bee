/** Durations as Go's time.Duration prints them: `1h2m3.5s`, `1.5ms`, `0s`. */

const SMALL_UNITS = [
  { name: 'ns', ns: 1n },
  { name: 'µs', ns: 1_000n },
  { name: 'ms', ns: 1_000_000n },
] as const;
const SECOND = 1_000_000_000n;

/** Of nanoseconds. */
export function formatDuration(ns: bigint): string {
  if (ns === 0n) return '0s';
  const sign = ns < 0n ? '-' : '';
  const magnitude = ns < 0n ? -ns : ns;
  const small = SMALL_UNITS.findLast((unit) => magnitude >= unit.ns);
  if (magnitude < SECOND && small !== undefined) return `${sign}${decimal(magnitude, small.ns)}${small.name}`;
  const minutes = magnitude / (60n * SECOND);
  const seconds = `${decimal(magnitude % (60n * SECOND), SECOND)}s`;
  if (minutes === 0n) return sign + seconds;
  return `${sign}${minutes >= 60n ? `${minutes / 60n}h` : ''}${minutes % 60n}m${seconds}`;
}

/** The nearest multiple of `unit`, halves away from zero. */
export function roundDuration(ns: bigint, unit: bigint): bigint {
  if (unit <= 0n) return ns;
  const magnitude = ns < 0n ? -ns : ns;
  const rest = magnitude % unit;
  const rounded = magnitude - rest + (rest * 2n < unit ? 0n : unit);
  return ns < 0n ? -rounded : rounded;
}

function decimal(ns: bigint, unit: bigint): string {
  const fraction = (ns % unit)
    .toString()
    .padStart(unit.toString().length - 1, '0')
    .replace(/0+$/, '');
  return `${ns / unit}${fraction === '' || unit === 1n ? '' : `.${fraction}`}`;
}
