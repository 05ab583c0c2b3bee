/** One initialisation of the library: from nvmlInit to nvmlShutdown, with all that is worth no more than the handles of its time. */

import type { GpuIdentity } from '../../snapshot.ts';
import { countingLibrary, createInquiry, type Inquiry, type Tally } from './inquiry.ts';
import type { NvmlLibrary } from './library.ts';
import { createProfiler, type Profiler } from './profiling.ts';
import type { DriverSystem, Progress } from './reading.ts';

export interface Session {
  readonly number: number;
  readonly driverVersion: string | undefined;
  readonly nvmlVersion: string | undefined;
  readonly driverLoad: string | undefined;
  readonly boundGpus: string | undefined;
  readonly openedAtMs: number;
  readonly profiler: Profiler;
  readonly identities: Map<string, GpuIdentity>;
  inquire(): Inquiry;
  close(): void;
}

export interface SessionQuestion {
  readonly number: number;
  readonly tally: Tally;
  readonly system: DriverSystem;
  readonly now: () => number;
  readonly progress: Progress;
}

/** The session, or the code with which the library has refused it. */
export type Opening =
  | { readonly kind: 'open'; readonly session: Session }
  | { readonly kind: 'refused'; readonly code: number };

export function openSession(library: NvmlLibrary, question: SessionQuestion): Opening {
  const { number, tally, system, now, progress } = question;
  const inquire = () => createInquiry(library, tally);
  progress(undefined, 'nvmlInit_v2');
  const inquiry = inquire();
  const { code } = inquiry.ask('nvmlInit_v2');
  if (code !== 0) return { kind: 'refused', code };
  progress(undefined, 'versions');
  const counted = countingLibrary(library, tally);
  const profiler = createProfiler(counted, now);
  const session: Session = {
    number,
    driverVersion: inquiry.value('nvmlSystemGetDriverVersion') || undefined,
    nvmlVersion: inquiry.value('nvmlSystemGetNVMLVersion') || undefined,
    driverLoad: system.driverLoad(),
    boundGpus: system.boundGpus(),
    openedAtMs: now(),
    profiler,
    identities: new Map(),
    inquire,
    close: () => {
      profiler.close();
      counted.call('nvmlShutdown');
    },
  };
  return { kind: 'open', session };
}
