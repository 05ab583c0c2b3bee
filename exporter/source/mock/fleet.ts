/** A whole simulated fleet: nodes to read from, the board that makes things happen to them, and the truth about what did. */

import { createBoard, type SimulationBoard } from './board.ts';
import type { SimulationClock } from './clock.ts';
import type { Span } from './effects.ts';
import { createSimulatedNode, type SimulatedNode } from './node.ts';
import type { FleetPlan } from './plan.ts';
import type { GpuPlace } from './schedule.ts';
import type { TruthInterval } from './truth.ts';
import { truthOnClock } from './truth-on-clock.ts';

export interface SimulatedFleet {
  readonly nodes: readonly SimulatedNode[];
  readonly board: SimulationBoard;
  /** What really happens to a GPU within a span of the exporter's clock; ahead of now, what is planned. */
  truth(place: GpuPlace, span: Span): readonly TruthInterval[];
}

/** Does no work that grows with the GPUs: a node makes its cards when it is first read. */
export function createSimulatedFleet(plan: FleetPlan, clock: SimulationClock): SimulatedFleet {
  const board = createBoard(plan, clock);
  return {
    nodes: plan.nodes.map((node, nth) => createSimulatedNode(node, nth, board)),
    board,
    truth: (place, span) => truthOnClock(board.schedule(), clock, { place, span }),
  };
}
