/** One round over all GPUs within a session. */

import type { GpuSample, ReadFailure } from '../../snapshot.ts';
import { code, isSessionFailure } from './codes.ts';
import { remember } from './counter-epoch.ts';
import { type ClosedGpu, type Enumeration, enumerateGpus } from './enumeration.ts';
import { gpuFailure } from './failures.ts';
import { type GpuOutcome, readGpu } from './gpu.ts';
import { type FoundGpu, readIdentity } from './identity.ts';
import type { TrafficMeter } from './nvlink.ts';
import type { KnownGpu, Progress, ReaderOptions } from './reading.ts';
import type { Session } from './session.ts';

export type Round =
  | ({ readonly kind: 'read' } & GoodRound)
  /** The driver as a whole does not answer any more. */
  | { readonly kind: 'lost'; readonly code: number };

export interface GoodRound {
  readonly gpus: readonly GpuSample[];
  readonly failures: readonly ReadFailure[];
  /** Every GPU that the driver knows, also those that failed or were left out. */
  readonly known: readonly KnownGpu[];
}

export interface RoundQuestion {
  readonly options: ReaderOptions;
  readonly meter: TrafficMeter;
  readonly known: readonly KnownGpu[];
  readonly progress: Progress;
  readonly skip: ReadonlySet<string>;
}

export function readRound(session: Session, question: RoundQuestion): Round {
  const { known, progress, skip } = question;
  progress(undefined, 'count');
  const count = session.inquire().ask('nvmlDeviceGetCount_v2');
  if (count.value === undefined) return { kind: 'lost', code: count.code };
  const { inquire } = session;
  const enumeration = enumerateGpus({ count: count.value, known, skip, inquire, progress });
  const results = readFound(session, question, enumeration.found);
  const codes = [...enumeration.closed, ...results.map(({ outcome }) => outcome)].flatMap(codeOf);
  const lost = codes.find(isSessionFailure);
  if (lost !== undefined) return { kind: 'lost', code: lost };
  session.profiler.sweep(new Set(enumeration.leftOut.map(({ uuid }) => uuid)));
  return { kind: 'read', ...summarise(enumeration, results, known) };
}

interface Result {
  readonly gpu: FoundGpu;
  readonly outcome: GpuOutcome;
}

// Once the driver as a whole is gone there is no use in asking for the other GPUs.
function readFound(session: Session, question: RoundQuestion, found: readonly FoundGpu[]): readonly Result[] {
  const results: Result[] = [];
  for (const gpu of found) {
    const outcome = readOne(session, question, gpu);
    results.push({ gpu, outcome });
    if (outcome.kind === 'failed' && isSessionFailure(outcome.code)) break;
  }
  return results;
}

function readOne(session: Session, { options, meter, progress }: RoundQuestion, gpu: FoundGpu): GpuOutcome {
  const inquiry = session.inquire();
  const known = session.identities.get(gpu.uuid);
  if (known === undefined) progress(gpu.uuid, 'identity');
  const identity = known ?? readIdentity(inquiry, gpu);
  if (known === undefined) options.onMet?.(identity);
  if (inquiry.trouble() === undefined) session.identities.set(gpu.uuid, identity);
  return readGpu({ options, meter, profiler: session.profiler }, { gpu, identity, inquiry, progress });
}

function codeOf(result: ClosedGpu | GpuOutcome): readonly number[] {
  return 'code' in result ? [result.code] : [];
}

function summarise(
  { closed, leftOut }: Enumeration,
  results: readonly Result[],
  known: readonly KnownGpu[],
): GoodRound {
  const gpus = results.flatMap(({ outcome }) => (outcome.kind === 'read' ? [outcome.sample] : []));
  const failed = results.flatMap(({ gpu, outcome }) =>
    outcome.kind === 'failed' ? [gpuFailure({ index: gpu.index, uuid: gpu.uuid, code: outcome.code })] : [],
  );
  const named = closed.flatMap(({ index, uuid }) => (uuid === undefined ? [] : [{ index, uuid }]));
  const silent = results.flatMap(({ gpu, outcome }) => (outcome.kind === 'failed' ? [gpu] : []));
  const all = [...gpus, ...silent, ...named, ...leftOut].sort((a, b) => a.index - b.index);
  return {
    gpus,
    failures: [...closed.filter(isFailure).map(gpuFailure), ...failed],
    known: all.map((gpu) => remember(known, gpu)),
  };
}

// A GPU that this user was never allowed to see belongs to somebody else: it is counted, but it has not failed.
function isFailure({ uuid, code: number }: ClosedGpu): boolean {
  return uuid !== undefined || number !== code.noPermission;
}
