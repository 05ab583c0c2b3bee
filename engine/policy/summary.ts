/** One line about what a capability demands, for people. */
import type { Capability, Check, UptimeWindow } from '../core/policy.ts';
import { formatDuration } from './duration.ts';

/** `vram ≥ 16 GB, temperature ≤ 85 °C; short 5m ≥ 99 %; modelName =~ "NVIDIA A100.*"` */
export function summarizeCapability({ checks, windows, gpus }: Capability): string {
  const patterns = Object.entries(gpus).map(([label, pattern]) => `${label} =~ "${pattern}"`);
  return [checks.map(summarizeCheck), windows.map(summarizeWindow), patterns.length > 0 ? patterns : ['all GPUs']]
    .map((parts) => parts.join(', ') || 'no checks')
    .join('; ');
}

const SIGNS = { min: '≥', max: '≤', equals: '=' } as const;

function summarizeCheck({ name, bound, unit, onFail }: Check): string {
  const limit = `${name} ${SIGNS[bound.kind]} ${bound.value}${unit === '' ? '' : ` ${unit}`}`;
  return onFail === 'down' ? limit : `${limit} (${onFail})`;
}

function summarizeWindow({ name, rangeMs, threshold }: UptimeWindow): string {
  return `${name} ${formatDuration(rangeMs)} ≥ ${Number((threshold * 100).toPrecision(12))} %`;
}
