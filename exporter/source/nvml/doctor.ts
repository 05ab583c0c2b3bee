/** What `gpu-uptime doctor` asks the driver: every question to every GPU, in a process that may hang without holding the doctor. */

import type { Launch } from './driver-process.ts';
import { askOnce } from './one-question.ts';
import type { LibraryChoice, Touching } from './protocol.ts';
import type { TimeLimits } from './question-watch.ts';
import type { SupportReport } from './support.ts';

export interface DoctorOptions {
  readonly library: LibraryChoice;
  readonly limits?: TimeLimits | undefined;
  readonly launch?: Launch | undefined;
}

export type DoctorReport =
  | { readonly kind: 'support'; readonly support: SupportReport }
  /** The library cannot be had. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly message: string }
  /** Where the driver hung, or crashed, and what that looked like. */
  | { readonly kind: 'wedged' | 'crashed'; readonly touching: Touching; readonly message: string };

// Many more questions than a reading asks, some of which take their time.
const standardDoctorLimits: TimeLimits = { gpuMs: 5_000, driverMs: 30_000, endMs: 1_000 };

/** Never rejects, and comes back within the limits. */
export async function runDoctor({
  library,
  limits = standardDoctorLimits,
  launch,
}: DoctorOptions): Promise<DoctorReport> {
  const child = { library, maxProcesses: 0 };
  const outcome = await askOnce({ child, limits, launch }, { kind: 'examine' });
  if (outcome.kind !== 'answered') return outcome;
  if (outcome.answer.kind === 'support') return { kind: 'support', support: outcome.answer.support };
  if (outcome.answer.kind === 'unavailable') return outcome.answer;
  return { kind: 'crashed', touching: { step: 'answering' }, message: 'The driver process answered another question.' };
}
