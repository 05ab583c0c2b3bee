/** What the control endpoint of a simulation answers, as JSON with snake_case keys and seconds. */

import type { GoingOn, SimulationBoard } from './board.ts';
import { behaviourKinds, type FaultKind, faultKinds } from './faults.ts';
import type { SimulatedFleet } from './fleet.ts';
import { asksFor, lengthOf, type ScenarioPlan } from './plan.ts';
import type { GpuPlace } from './schedule.ts';
import type { TruthInterval } from './truth.ts';

type Json = Readonly<Record<string, unknown>>;

/** What is going on, what could be, and on which clock. */
export function statusAnswer(board: SimulationBoard): Json {
  const { nodes, scenarios } = board.plan;
  return {
    active: board
      .active()
      .map(({ name, ...going }) => ({ ...placeAnswer(board, going), fault: name, ...timesAnswer(going) })),
    scenarios: board
      .running()
      .map(({ name, ...going }) => ({ ...placeAnswer(board, going), scenario: name, ...timesAnswer(going) })),
    available: {
      faults: [...faultKinds].map(kindAnswer),
      behaviours: [...behaviourKinds].map(kindAnswer),
      scenarios: scenarios.map(scenarioAnswer),
    },
    fleet: {
      nodes: nodes.length,
      gpus: nodes.reduce((sum, { gpus }) => sum + gpus, 0),
      first_node: nodes[0]?.name ?? null,
    },
    clock: clockAnswer(board),
  };
}

export function clockAnswer({ clock }: SimulationBoard): Json {
  return { now: seconds(clock.now()), elapsed_seconds: seconds(clock.elapsedMs()), speed: clock.speed };
}

function placeAnswer({ plan }: SimulationBoard, { node, gpu }: Pick<GoingOn, 'node' | 'gpu'>): Json {
  return { node: node === undefined ? null : (plan.nodes[node]?.name ?? null), gpu: gpu ?? null };
}

function timesAnswer({ activeForMs, remainingMs }: Pick<GoingOn, 'activeForMs' | 'remainingMs'>): Json {
  return {
    active_seconds: seconds(activeForMs),
    remaining_seconds: remainingMs === undefined ? null : seconds(remainingMs),
  };
}

function kindAnswer([name, { scope, what, parameters, lastsMs }]: readonly [string, FaultKind]): Json {
  const described = Object.entries(parameters).map(([parameter, schema]) => [parameter, schema.description]);
  return { name, what, scope, seconds: finiteSeconds(lastsMs), parameters: Object.fromEntries(described) };
}

function scenarioAnswer(scenario: ScenarioPlan): Json {
  const { name, what } = scenario;
  const scope = asksFor(scenario, 'gpus') ? 'gpu' : asksFor(scenario, 'nodes') ? 'node' : 'fleet';
  return { name, what, scope, seconds: finiteSeconds(lengthOf(scenario)) };
}

function finiteSeconds(ms: number): number | null {
  return Number.isFinite(ms) ? seconds(ms) : null;
}

/** The truth about one GPU, in seconds since the epoch. */
export function truthAnswer(fleet: SimulatedFleet, place: GpuPlace, intervals: readonly TruthInterval[]): Json {
  const node = fleet.nodes[place.node];
  const lasted = (state: TruthInterval['state']) =>
    seconds(
      intervals.filter((one) => one.state === state).reduce((sum, { fromMs, untilMs }) => sum + untilMs - fromMs, 0),
    );
  return {
    node: node?.name ?? null,
    gpu: place.gpu,
    uuid: node?.uuids()[place.gpu] ?? null,
    up_seconds: lasted('up'),
    down_seconds: lasted('down'),
    intervals: intervals.map(({ fromMs, untilMs, state, isObservable, because }) => ({
      from: seconds(fromMs),
      until: seconds(untilMs),
      state,
      observable: isObservable,
      because,
    })),
  };
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
