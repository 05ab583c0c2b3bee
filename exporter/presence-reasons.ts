/** Why a GPU is unavailable: the words for it, and what becomes of words that are none of them. */

import type { UnavailableReason } from './presence.ts';

/** The gravest first. */
const unavailableReasons: readonly UnavailableReason[] = [
  'missing',
  'gpu_is_lost',
  'reset_required',
  'wedged',
  'error',
];

/** The reason as presence names it; whatever else a driver, or the state file of a later exporter, says is an error. */
export function reasonOf(text: string): UnavailableReason {
  return unavailableReasons.find((reason) => reason === text) ?? 'error';
}

/** Larger is graver. */
export function gravity(reason: UnavailableReason): number {
  return -unavailableReasons.indexOf(reason);
}
