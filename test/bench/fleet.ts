/** A synthetic fleet: 10,000 GPUs on 1,250 nodes, 8 checks, 3 windows with full rings; what Prometheus says of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFleet, type FleetState, rememberGpu, stepFleet } from '../../engine/core/fleet.ts';
import type { Observation, Sighting } from '../../engine/core/observation.ts';
import { type Plan, planPolicy } from '../../engine/core/plan.ts';
import { checkQuery, targetKey } from '../../engine/core/queries.ts';
import { TICK, type TickState } from '../../engine/core/tick.ts';
import { pushTick } from '../../engine/core/window.ts';
import { loadPolicy } from '../../engine/policy/load.ts';
import { MINUTE, SECOND } from '../engine/core/fixtures.ts';

export const INTERVAL_MS = 5 * SECOND;
export const LONG_WINDOW_MS = 120 * MINUTE;
const NODES = 1250;
const GPUS_PER_NODE = 8;
const START_MS = 1_700_000_000_000;

/** The policy of the benches: the built-in one and three more checks, eight in all. */
export const POLICY_FILE = join(import.meta.dirname, 'policy.yml');

/** A value of each check that holds. */
const USUAL: Readonly<Record<string, number>> = {
  vram: 85.899346,
  gpu_utilization: 57,
  memory_utilization: 61.7309,
  temperature: 64,
  free_memory: 31337,
  power: 311.482,
  ecc: 0,
  xid: 0,
};

export const NODE_NAMES: readonly string[] = Array.from({ length: NODES }, (_, n) => `gpu-node-${n}.example.net:9400`);

/** GPUs as a presence query describes them. */
export const GPUS: readonly Omit<Sighting, 'sampledAtMs'>[] = NODE_NAMES.flatMap((node, n) =>
  Array.from({ length: GPUS_PER_NODE }, (_, index) => ({
    gpu: `GPU-${(n * GPUS_PER_NODE + index).toString(16).padStart(8, '0')}-5d41-402a-bc4b-2a76b9719d91`,
    node,
    target: targetKey(node, 'gpu'),
    labels: { gpu: String(index), modelName: 'NVIDIA A100-SXM4-80GB' },
  })),
);

export function benchPlan(longWindowMs: number = LONG_WINDOW_MS): Plan {
  const env = { GPU_LONG_TERM_WINDOW: String(longWindowMs / 1000) };
  const loaded = loadPolicy({ file: POLICY_FILE, source: readFileSync(POLICY_FILE, 'utf8'), env });
  if (!loaded.ok) throw new Error(`${POLICY_FILE} is not a policy: ${loaded.diagnostics[0]?.message}`);
  return planPolicy(loaded.policy);
}

type Reading = (gpu: number, tick: number) => number;

/** The value of each check query for a GPU. Node 0 is always hot; now and then another GPU is. */
export function readingByQuery({ policy }: Plan): ReadonlyMap<string, Reading> {
  return new Map(
    policy.checks.map((check): [string, Reading] => {
      const usual = USUAL[check.name] ?? 0;
      const reading = (gpu: number, tick: number) => (check.name === 'temperature' && isHot(gpu, tick) ? 91 : usual);
      return [checkQuery(policy, check), reading];
    }),
  );
}

function isHot(gpu: number, tick: number): boolean {
  return gpu < GPUS_PER_NODE || (gpu * 7919 + tick * 104_729) % 1009 === 0;
}

/** A fleet that has been judged for as long as its longest window, by two ticks after `startMs`. */
export function filledFleet(plan: Plan, startMs: number = START_MS): FleetState {
  const state = createFleet();
  state.tickMs = startMs;
  for (const gpu of GPUS) rememberGpu(plan, state, { ...gpu, sampledAtMs: startMs });
  for (const [index, record] of [...state.gpus.values()].entries()) {
    for (const { timeline } of record.tracks) {
      for (let tick = 0; tick < timeline.ring.length; tick++) pushTick(timeline, stateAt(index, tick));
    }
  }
  for (let tick = 0; tick < 2; tick++) stepFleet(plan, state, nextObservation(plan, state));
  return state;
}

function stateAt(gpu: number, tick: number): TickState {
  return isHot(gpu, tick) ? TICK.down : TICK.up;
}

/** What readTick gives for the tick after the state's newest, without asking anybody. */
export function nextObservation(plan: Plan, state: FleetState): Observation {
  const atMs = (state.tickMs ?? START_MS) + INTERVAL_MS;
  const tick = atMs / INTERVAL_MS;
  const readings = [...readingByQuery(plan)].map(
    ([query, reading]) => [query, new Map(GPUS.map(({ gpu }, index) => [gpu, reading(index, tick)]))] as const,
  );
  return {
    atMs,
    observerAtMs: atMs - SECOND,
    targets: new Map(NODE_NAMES.map((node) => [targetKey(node, 'gpu'), 1])),
    sightings: GPUS.map((gpu) => ({ ...gpu, sampledAtMs: atMs - SECOND })),
    readings: new Map(readings),
  };
}
