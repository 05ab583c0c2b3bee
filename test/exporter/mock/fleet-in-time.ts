/** A simulated fleet on a clock that a test moves. */

import type { GpuSample, Snapshot } from '../../../exporter/snapshot.ts';
import { cardIn } from '../../../exporter/source/mock/card.ts';
import { createSimulationClock } from '../../../exporter/source/mock/clock.ts';
import { createSimulatedFleet, type SimulatedFleet } from '../../../exporter/source/mock/fleet.ts';
import type { FleetSettings } from '../../../exporter/source/mock/fleet-section.ts';
import { momentAt } from '../../../exporter/source/mock/moment.ts';
import type { FleetPlan } from '../../../exporter/source/mock/plan.ts';
import type { GpuProfile } from '../../../exporter/source/mock/profiles.ts';
import { sampleGpu } from '../../../exporter/source/mock/sample.ts';
import { planFleet } from '../../../exporter/source/mock/timeline.ts';

/** Where the exporter's clock stands when the simulation begins. */
export const startMs = 1_767_225_600_000;

export const settings: FleetSettings = { seed: 1, nodes: 1, gpus: 4, profile: 'a100', behaviour: 'healthy' };

/** Every GPU of a healthy first node, so many milliseconds after the start of the scenario. */
export function sampleFleet(
  { profile, seed, gpus }: { readonly profile: GpuProfile; readonly seed: number; readonly gpus: number },
  elapsedMs: number,
): readonly GpuSample[] {
  const cards = Array.from({ length: gpus }, (_, index) => cardIn({ profile, seed, node: 0, index }));
  return cards.map((card) => sampleGpu(card, momentAt(elapsedMs), { influences: [], countersSinceMs: 0 }));
}

/** The plan of settings and a timeline that are right. */
export function planned(changes: Partial<FleetSettings> = {}, source = ''): FleetPlan {
  const result = planFleet({ ...settings, ...changes }, { file: 'fleet.yml', source });
  if (result.kind === 'invalid') throw new Error(result.problems.join('\n'));
  return result.plan;
}

export interface FleetInTime {
  readonly fleet: SimulatedFleet;
  /** Moves the exporter's clock to so many milliseconds after the start. */
  moveTo(ms: number): void;
  /** Reads one node. */
  read(node?: number): Promise<Snapshot>;
}

export function startFleet(
  plan: FleetPlan,
  clock: { readonly speed?: number; readonly elapsedMs?: number } = {},
): FleetInTime {
  let nowMs = startMs;
  const fleet = createSimulatedFleet(plan, createSimulationClock({ now: () => nowMs, ...clock }));
  return {
    fleet,
    moveTo: (ms) => {
      nowMs = startMs + ms;
    },
    read: async (node = 0) => {
      const source = fleet.nodes[node]?.source;
      if (source === undefined) throw new Error(`there is no node ${node}`);
      return source.read(new AbortController().signal);
    },
  };
}

/** Reads one node; undefined where nobody can: it is off, its exporter hangs, or its driver is away. */
export async function look(world: FleetInTime, index = 0): Promise<Snapshot | undefined> {
  if (nodeOf(world, index).reachability() !== 'ok') return undefined;
  return world.read(index).catch((error: Error) => {
    if (!error.message.includes('driver')) throw error;
    return undefined;
  });
}

/** The fleet's nodes, by index. */
export function nodeOf({ fleet }: FleetInTime, index = 0): SimulatedFleet['nodes'][number] {
  const node = fleet.nodes[index];
  if (node === undefined) throw new Error(`there is no node ${index}`);
  return node;
}
