/** Prometheus' template functions that make numbers readable, with its exact texts. */
import { toInt64 } from './double.ts';
import { formatSignificant } from './go-number.ts';

const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];
const BINARY = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];

/** `1234567` is `1.235M`, `0.0015` is `1.5m`. */
export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return formatSignificant(value, 4);
  return Math.abs(value) >= 1 ? scaleDown(value, 1000, LARGE) : scaleUp(value);
}

/** `1536` is `1.5ki`; fractions stay as they are. */
export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return formatSignificant(value, 4);
  return scaleDown(value, 1024, BINARY);
}

/** A ratio as percent: `0.9315` is `93.15%`. */
export function humanizePercentage(value: number): string {
  return `${formatSignificant(value * 100, 4)}%`;
}

/** Seconds as `1d 2h 3m 4s`; below a minute with four digits, below a second with a prefix (`12ms`). */
export function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return formatSignificant(value, 4);
  if (value === 0) return `${formatSignificant(value, 4)}s`;
  if (Math.abs(value) < 1) return `${scaleUp(value)}s`;
  const sign = value < 0 ? '-' : '';
  const seconds = Math.abs(value);
  return sign + (seconds < 60 ? `${formatSignificant(seconds, 4)}s` : wholeUnits(toInt64(seconds)));
}

function wholeUnits(seconds: bigint): string {
  const [days, hours, minutes] = [seconds / 86_400n, (seconds / 3600n) % 24n, (seconds / 60n) % 60n];
  const units = [`${days}d`, `${hours}h`, `${minutes}m`, `${seconds % 60n}s`];
  return units.slice(days ? 0 : hours ? 1 : 2).join(' ');
}

function scaleDown(value: number, base: number, prefixes: readonly string[]): string {
  let scaled = value;
  let prefix = '';
  for (const next of prefixes) {
    if (Math.abs(scaled) < base) break;
    prefix = next;
    scaled /= base;
  }
  return `${formatSignificant(scaled, 4)}${prefix}`;
}

function scaleUp(value: number): string {
  let scaled = value;
  let prefix = '';
  for (const next of SMALL) {
    if (Math.abs(scaled) >= 1) break;
    prefix = next;
    scaled *= 1000;
  }
  return `${formatSignificant(scaled, 4)}${prefix}`;
}
