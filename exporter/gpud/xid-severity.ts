/**
 * How bad each XID is and what to do about it, as GPUd rates them. NVML reports the bare code: the finer ratings that GPUd
 * reads from the kernel log for NVLink codes (144-150) are not to be had.
 */

import type { EventType, RepairAction } from './api.ts';

export interface XidSeverity {
  readonly type: EventType;
  /** The first one is what to do now. */
  readonly actions: readonly RepairAction[];
}

interface Rating extends XidSeverity {
  readonly codes: readonly number[];
}

const ratings: readonly Rating[] = [
  {
    type: 'Fatal',
    actions: ['REBOOT_SYSTEM'],
    codes: [9, 12, 16, 18, 19, 26, 27, 28, 29, 30, 33, 34, 35, 36, 42, 46, 47, 59, 60, 61, 78],
  },
  {
    type: 'Fatal',
    actions: ['REBOOT_SYSTEM', 'HARDWARE_INSPECTION'],
    codes: [32, 38, 44, 48, 62, 63, 64, 65, 68, 69, 74, 79, 95, 110, 119, 120, 121, 123, 140],
  },
  { type: 'Fatal', actions: ['REBOOT_SYSTEM', 'IGNORE_NO_ACTION_REQUIRED'], codes: [94] },
  { type: 'Fatal', actions: ['HARDWARE_INSPECTION'], codes: [81, 143] },
  { type: 'Warning', actions: ['CHECK_USER_APP_AND_GPU'], codes: [13, 43, 137, 170] },
  { type: 'Warning', actions: ['CHECK_USER_APP_AND_GPU', 'HARDWARE_INSPECTION'], codes: [31] },
  { type: 'Warning', actions: ['IGNORE_NO_ACTION_REQUIRED'], codes: [45, 92] },
  {
    type: 'Warning',
    actions: ['REBOOT_SYSTEM'],
    codes: [144, 145, 146, 147, 148, 149, 150, 151, 155, 156, 158, 163, 166, 167, 169, 172, 173],
  },
  { type: 'Info', actions: [], codes: [152, 153, 157, 161, 162, 164, 165] },
];

const lastKnownCode = 173;
const unlisted = new Set([133]);

const byCode = new Map(ratings.flatMap(({ codes, ...severity }) => codes.map((code) => [code, severity] as const)));

/** Codes of the catalogue without a rating of their own are warnings; others are unknown. */
export function xidSeverity(code: number): XidSeverity {
  const isKnown = code >= 1 && code <= lastKnownCode && !unlisted.has(code);
  return byCode.get(code) ?? { type: isKnown ? 'Warning' : 'Unknown', actions: [] };
}
