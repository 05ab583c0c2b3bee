/** When a rule group is due: every interval, at a phase of its own, so that groups do not all ask at once. */
import { createHash } from 'node:crypto';
import type { RuleGroup } from './rule.ts';

type Scheduled = Pick<RuleGroup, 'file' | 'name' | 'intervalMs'>;

const PHASE_BYTES = 6;

/** The phase within the interval, milliseconds: from file and name alone, so that two engines share every instant. */
export function phaseOf({ file, name, intervalMs }: Scheduled): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([file, name]))
    .digest();
  return digest.readUIntBE(0, PHASE_BYTES) % intervalMs;
}

/** The group's newest slot that is not after `nowMs`. */
export function slotAtOrBefore(group: Scheduled, nowMs: number): number {
  const phase = phaseOf(group);
  return Math.floor((nowMs - phase) / group.intervalMs) * group.intervalMs + phase;
}
