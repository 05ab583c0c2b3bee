/** The simulated source: the scenario on an injected clock, with the faults that were asked for laid over it. */

import type { Snapshot, Source } from '../../snapshot.ts';
import { applyFaults, type Fault, type FaultKind, isActive } from './faults.ts';
import { type Scenario, sampleFleet } from './scenario.ts';

export interface MockSource extends Source {
  readonly faults: FaultBoard;
}

/** The faults of a running simulation. Every change takes effect at the next reading. */
export interface FaultBoard {
  /** GPUs in the fleet, lost ones included. */
  readonly gpus: number;
  /** Starts a fault now, in place of one of the same kind on the same GPU; without `durationMs` it stays until cleared. */
  inject(gpu: number, kind: FaultKind, durationMs?: number): void;
  /** Ends the faults of one GPU, or of all. */
  clear(gpu?: number): void;
  active(): readonly ActiveFault[];
}

interface ActiveFault {
  readonly gpu: number;
  readonly fault: FaultKind;
  readonly activeForMs: number;
  /** Undefined while no end is known. */
  readonly remainingMs: number | undefined;
}

/** Scenario time runs from this call on, on `now` (milliseconds). */
export function createMockSource(scenario: Scenario, now: () => number): MockSource {
  const startedAtMs = now();
  const elapsedMs = () => Math.max(0, now() - startedAtMs);
  const board = createFaultBoard(scenario.gpus, elapsedMs);
  return {
    faults: board,
    read: async () => ({ takenAtMs: now(), ...readFleet(scenario, board.all(), elapsedMs()) }),
    close: async () => undefined,
  };
}

function readFleet(scenario: Scenario, faults: readonly Fault[], elapsedMs: number): Omit<Snapshot, 'takenAtMs'> {
  const fleet = sampleFleet(scenario, elapsedMs);
  return { driverVersion: scenario.profile.driverVersion, ...applyFaults(fleet, faults, elapsedMs) };
}

function createFaultBoard(gpus: number, elapsedMs: () => number): FaultBoard & { all(): readonly Fault[] } {
  let faults: readonly Fault[] = [];
  const current = (atMs: number) => faults.filter((fault) => isActive(fault, atMs));
  return {
    gpus,
    all: () => faults,
    inject: (gpu, kind, durationMs = Number.POSITIVE_INFINITY) => {
      const fromMs = elapsedMs();
      const others = current(fromMs).filter((fault) => fault.gpu !== gpu || fault.kind !== kind);
      faults = [...others, { gpu, kind, fromMs, untilMs: fromMs + durationMs }];
    },
    clear: (gpu) => {
      faults = gpu === undefined ? [] : faults.filter((fault) => fault.gpu !== gpu);
    },
    active: () => current(elapsedMs()).map((fault) => describe(fault, elapsedMs())),
  };
}

function describe(fault: Fault, atMs: number): ActiveFault {
  return {
    gpu: fault.gpu,
    fault: fault.kind,
    activeForMs: atMs - fault.fromMs,
    remainingMs: Number.isFinite(fault.untilMs) ? fault.untilMs - atMs : undefined,
  };
}
