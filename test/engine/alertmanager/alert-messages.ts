/** Messages as the rules engine hands them over. */
import { type LabelSet, labelKey } from '../../../engine/core/alert.ts';
import type { AlertMessage } from '../../../engine/core/delivery.ts';
import { fingerprintOf } from '../../../engine/core/fingerprint.ts';

/** A firing alert; it began at `now`, and is valid for four minutes. */
export function messageOf(labels: LabelSet, now: number, overrides: Partial<AlertMessage> = {}): AlertMessage {
  return {
    key: labelKey(labels),
    fingerprint: fingerprintOf(labels),
    labels,
    annotations: {},
    startsAt: now,
    endsAt: now + 240_000,
    expr: 'temperature > 85',
    ...overrides,
  };
}
