/** Sentences that say why, with the observed value beside the threshold. */
import { isoSecond } from './instant.ts';
import type { Bound } from './policy.ts';
import type { FailedCheck, Verdict } from './presence.ts';
import { TICK } from './tick.ts';
import type { WindowFigures } from './uptime.ts';

/** `Low uptime detected: short-term: 95.2% < 99%, medium-term: 98.1% < 99%`. */
export function lowUptimeReason(figures: readonly WindowFigures[]): string {
  return `Low uptime detected: ${figures
    .filter(({ verdict }) => verdict === 'low')
    .map(lowWindow)
    .join(', ')}`;
}

function lowWindow({ window, uptime }: WindowFigures): string {
  return `${windowTitle(window.name)}: ${percentDown(uptime ?? 0)}% < ${plainNumber(window.threshold * 100)}%`;
}

const TERMS = new Set(['short', 'medium', 'long']);

/** `short` reads as `short-term`; windows with other names keep them. */
function windowTitle(name: string): string {
  return TERMS.has(name) ? `${name}-term` : name;
}

/** Percent with one decimal, rounded down: a value below its threshold never reads as equal to it. */
export function percentDown(ratio: number): string {
  return (Math.floor(ratio * 1000 + 1e-9) / 10).toFixed(1);
}

/** `temperature 91 °C > 85 °C`, `vram has no value (at least 30 GB expected)`. */
function failedCheckReason({ check, value }: FailedCheck): string {
  const limit = quantity(check.bound.value, check.unit);
  if (value === undefined) return `${check.name} has no value (${EXPECTED[check.bound.kind]} ${limit} expected)`;
  return `${check.name} ${quantity(value, check.unit)} ${VIOLATED[check.bound.kind]} ${limit}`;
}

const VIOLATED: Record<Bound['kind'], string> = { max: '>', min: '<', equals: '≠' };
const EXPECTED: Record<Bound['kind'], string> = { max: 'at most', min: 'at least', equals: 'exactly' };

/** Why a GPU's tick was not up; undefined for ticks without anything to report. */
export function verdictReason({ state, failed, quarantine }: Verdict): string | undefined {
  if (quarantine !== undefined) return `quarantined by ${quarantine.alert} since ${isoSecond(quarantine.sinceMs)}`;
  if (failed !== undefined) return failedCheckReason(failed);
  if (state === TICK.maintenance) return 'planned maintenance';
  if (state === TICK.down) return 'no fresh sample';
  return state === TICK.unobserved ? 'not observed' : undefined;
}

function quantity(value: number, unit: string): string {
  if (unit === '') return plainNumber(value);
  return unit === '%' ? `${plainNumber(value)}%` : `${plainNumber(value)} ${unit}`;
}

/** At most two decimals, without trailing zeros. */
export function plainNumber(value: number): string {
  return String(Number(value.toFixed(2)));
}
