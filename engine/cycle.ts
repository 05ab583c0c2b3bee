/** Judges ticks from Prometheus history: the newest one by instant queries, a backlog by range queries in bounded chunks. */
import { setImmediate } from 'node:timers/promises';
import { createFleet, type FleetEvent, type Judged, rememberGpu, stepFleet } from './core/fleet.ts';
import type { MaintenanceCalendar } from './core/maintenance.ts';
import type { Observation } from './core/observation.ts';
import type { Policy } from './core/policy.ts';
import { checkQueries } from './core/queries.ts';
import { tickAtOrBefore } from './core/tick.ts';
import { countGpus, type History, readRemembered, readTick, readTicks } from './prometheus/history.ts';

export interface Cycle extends Judged {
  readonly history: History;
  /** GPUs that Prometheus shows at the end of the history to read: bounds chunks before any GPU is known. */
  readonly fleetSize: number;
  /** Planned maintenance as known now; asked at every tick, because it is heard of at any time. */
  readonly maintenance: (policy: Policy) => MaintenanceCalendar | undefined;
  /** Called after every tick, also replayed ones. */
  readonly onTick: (events: readonly FleetEvent[], isReplay: boolean) => void;
}

/**
 * Starts over with a state that stands just before the backfill: GPUs alive in the day before it are known already, so
 * one that died earlier still counts as down. Throws QueryError.
 */
export async function startCold(cycle: Cycle, nowMs: number, signal: AbortSignal): Promise<Cycle> {
  const { plan, history } = cycle;
  const { intervalMs, backfillMs, settleMs } = plan.policy;
  const state = createFleet();
  const startMs = tickAtOrBefore(nowMs - settleMs - backfillMs, intervalMs);
  for (const sighting of await readRemembered(history, startMs, signal)) rememberGpu(plan, state, sighting);
  state.tickMs = startMs;
  const fleetSize = await countGpus(history, tickAtOrBefore(nowMs - settleMs, intervalMs), signal);
  return { ...cycle, state, fleetSize };
}

/** Judges every tick after the state's newest up to `toMs`. Throws QueryError; what was judged until then stays. */
export async function catchUp(cycle: Cycle, toMs: number, signal: AbortSignal): Promise<void> {
  const { intervalMs } = cycle.plan.policy;
  while ((cycle.state.tickMs ?? toMs) < toMs) {
    const nextMs = (cycle.state.tickMs ?? toMs) + intervalMs;
    if (nextMs === toMs) await judgeTick(cycle, toMs, signal);
    else await judgeChunk(cycle, nextMs, Math.min(toMs, nextMs + (chunkTicks(cycle) - 1) * intervalMs), signal);
  }
}

async function judgeTick(cycle: Cycle, atMs: number, signal: AbortSignal): Promise<void> {
  const observation = await readTick(cycle.history, atMs, signal);
  cycle.onTick(stepCycle(cycle, observation), false);
}

async function judgeChunk(cycle: Cycle, startMs: number, endMs: number, signal: AbortSignal): Promise<void> {
  const range = { startMs, endMs, stepMs: cycle.plan.policy.intervalMs };
  for (const observation of await readTicks(cycle.history, range, signal)) {
    cycle.onTick(stepCycle(cycle, observation), true);
    // Gateways are answered between two replayed ticks.
    await setImmediate();
  }
}

function stepCycle({ plan, state, maintenance }: Cycle, observation: Observation): readonly FleetEvent[] {
  return stepFleet(plan, state, { ...observation, maintenance: maintenance(plan.policy) });
}

/** Samples per chunk over all queries: bounds both this process' memory and Prometheus' `query.max-samples`. */
const CHUNK_CELLS = 2_000_000;
/** Prometheus refuses range queries of more than 11,000 points per series. */
const MAX_POINTS = 10_000;

function chunkTicks({ plan, state, fleetSize }: Cycle): number {
  const cellsPerTick = Math.max(1, state.gpus.size, fleetSize) * (checkQueries(plan.policy).length + 2);
  return Math.max(1, Math.min(MAX_POINTS, Math.floor(CHUNK_CELLS / cellsPerTick)));
}
