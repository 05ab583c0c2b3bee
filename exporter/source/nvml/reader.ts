/** Reads every GPU through the port, round by round. A lost GPU costs its own readings; a lost driver is initialised anew. */

import { code } from './codes.ts';
import { counterEpoch, hasRestarted } from './counter-epoch.ts';
import { driverFailure } from './failures.ts';
import type { NvmlLibrary } from './library.ts';
import { createTrafficMeter } from './nvlink.ts';
import type { NvmlReader, NvmlReading, Progress, ReaderMemory, ReaderOptions } from './reading.ts';
import { type GoodRound, type Round, readRound } from './round.ts';
import { type Opening, openSession, type Session } from './session.ts';

// A GPU that came back from a reset stays lost to the session that saw it go: look again with a new one, but not often, and
// only where the other GPUs keep their state in between. Without persistence mode the end of a session may be their end too.
const relookAfterMs = 60_000;

const nothingKnown: ReaderMemory = { gpus: [], counterRestarts: 0 };

interface Question {
  readonly progress: Progress;
  readonly skip: ReadonlySet<string>;
}

/** Touches nothing before its first round. */
export function createReader(library: NvmlLibrary, options: ReaderOptions): NvmlReader {
  const { now, system, tally } = options;
  const meter = createTrafficMeter();
  let memory = options.memory ?? nothingKnown;
  let session: Session | undefined;
  let sessions = 0;
  let isWorthRelook = false;

  function read(question: Question): NvmlReading {
    if (session !== undefined && isOutdated(session)) leave(question.progress);
    const wasOpen = session !== undefined;
    const first = attempt(question);
    const round = first.kind === 'lost' && wasOpen ? attempt(question) : first;
    isWorthRelook = round.kind === 'read' && hasFailures(round);
    if (round.kind === 'lost' || session === undefined) return unavailable(round);
    return report(round, session);
  }

  function isOutdated({ boundGpus, driverLoad, openedAtMs }: Session): boolean {
    if (system.boundGpus() !== boundGpus || system.driverLoad() !== driverLoad) return true;
    return isWorthRelook && now() - openedAtMs >= relookAfterMs;
  }

  function attempt(question: Question): Round {
    const opening = open(question.progress);
    if (opening.kind === 'refused') return { kind: 'lost', code: opening.code };
    session = opening.session;
    const round = readRound(session, { options, meter, known: memory.gpus, ...question });
    if (round.kind === 'lost') giveUp(question.progress);
    return round;
  }

  function open(progress: Progress): Opening {
    if (session !== undefined) return { kind: 'open', session };
    const opening = openSession(library, { number: sessions + 1, tally, system, now, progress });
    if (opening.kind === 'open') sessions += 1;
    return opening;
  }

  // Where the system does not tell one load of the driver from another, losing the driver must pass for a new load.
  function giveUp(progress: Progress): void {
    if (session?.driverLoad === undefined) memory = { ...memory, counterRestarts: memory.counterRestarts + 1 };
    leave(progress);
  }

  function leave(progress: Progress): void {
    progress(undefined, 'nvmlShutdown');
    close();
  }

  function close(): void {
    session?.close();
    session = undefined;
  }

  function report({ gpus, failures, known }: GoodRound, { number, ...facts }: Session): NvmlReading {
    const counterRestarts = memory.counterRestarts + Number(hasRestarted(memory.gpus, gpus));
    memory = { gpus: known, counterRestarts };
    return {
      driverVersion: facts.driverVersion,
      nvmlVersion: facts.nvmlVersion,
      gpus,
      failures,
      callErrors: tally.counts(),
      counterEpoch: counterEpoch({ ...facts, restarts: counterRestarts }),
      memory,
      session: number,
      unavailable: undefined,
      needsNewProcess: false,
    };
  }

  function unavailable(round: Round): NvmlReading {
    const number = round.kind === 'lost' ? round.code : code.uninitialized;
    return {
      driverVersion: undefined,
      nvmlVersion: undefined,
      gpus: [],
      failures: [],
      callErrors: tally.counts(),
      counterEpoch: undefined,
      memory,
      session: 0,
      unavailable: driverFailure(number),
      needsNewProcess: number === code.libRmVersionMismatch,
    };
  }

  return { read: (progress, skip) => read({ progress, skip }), close };
}

function hasFailures({ failures, gpus }: GoodRound): boolean {
  return failures.length > 0 && gpus.every(({ persistenceMode }) => persistenceMode !== 0);
}
