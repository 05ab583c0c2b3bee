/** Where the readings come from, as GPU_SOURCE says or, where it leaves that open, as the machine is. */

import type { Logger } from 'pino';
import type { Config } from './config/parse.ts';
import { parseDuration } from './duration.ts';
import type { Source } from './snapshot.ts';
import { createSimulationClock } from './source/mock/clock.ts';
import { createSimulatedFleet, type SimulatedFleet } from './source/mock/fleet.ts';
import type { FleetPlan } from './source/mock/plan.ts';
import type { LibraryChoice } from './source/nvml/protocol.ts';

export type OpenedSource =
  | { readonly kind: 'machine'; readonly name: 'nvml' | 'replay'; readonly source: Source }
  | { readonly kind: 'simulated'; readonly name: 'mock'; readonly fleet: SimulatedFleet };

export interface SourceSurroundings {
  readonly now: () => number;
  readonly log: Logger;
}

/** Looks for a GPU where the settings leave it open, and says what it found. Starts no reading. */
export async function openSource(
  config: Config,
  plan: FleetPlan,
  surroundings: SourceSurroundings,
): Promise<OpenedSource> {
  const name = config.source === 'auto' ? await detect(config, surroundings) : config.source;
  return name === 'mock' ? simulate(config, plan, surroundings) : readMachine(name, config, surroundings);
}

// The machinery around the driver is loaded only where there may be one.
async function detect(config: Config, { log }: SourceSurroundings): Promise<'nvml' | 'mock'> {
  const { detectSource } = await import('./source/nvml/detect.ts');
  const { source, reason } = await detectSource({ library: libraryOf('nvml', config) });
  log.info({ source }, `GPU_SOURCE=auto: ${reason}`);
  return source;
}

function simulate({ speed, elapsed }: Config, plan: FleetPlan, { now }: SourceSurroundings): OpenedSource {
  const clock = createSimulationClock({ now, speed, elapsedMs: parseDuration(elapsed) ?? 0 });
  return { kind: 'simulated', name: 'mock', fleet: createSimulatedFleet(plan, clock) };
}

async function readMachine(
  name: 'nvml' | 'replay',
  config: Config,
  { now, log }: SourceSurroundings,
): Promise<OpenedSource> {
  const { createNvmlSource, standardLimits } = await import('./source/nvml/source.ts');
  const limits = { ...standardLimits, gpuMs: config.readTimeoutMs };
  const options = { library: libraryOf(name, config), maxProcesses: config.processes, limits };
  return { kind: 'machine', name, source: createNvmlSource(options, { now, log }) };
}

/** What answers for the driver. */
function libraryOf(
  name: 'nvml' | 'replay',
  { nvmlLibrary: path, recordFile: record, replayFile }: Config,
): LibraryChoice {
  if (name === 'replay' && replayFile !== undefined) return { kind: 'replay', file: replayFile };
  return { kind: 'library', path, record };
}
