/** What the settings name: files to read and words to understand. All of it is looked at before anything starts. */

import type { Logger } from 'pino';
import type { Config } from './config/parse.ts';
import { type Counters, createCounters } from './counters-file.ts';
import { type DeviceSelection, parseDevices } from './metrics/dcgm/devices.ts';
import { type Profiles, parseProfiles } from './metrics/profiles.ts';
import { readRegularFile } from './regular-file.ts';
import type { FleetPlan } from './source/mock/plan.ts';
import { planFleet, type TimelineFile } from './source/mock/timeline.ts';
import type { WebConfigFile } from './web/config-file.ts';

export interface Preparation {
  readonly profiles: Profiles;
  readonly devices: DeviceSelection;
  readonly counters: Counters;
  /** The fleet that is simulated if GPUs are. */
  readonly fleet: FleetPlan;
  readonly webConfig: WebConfigFile | undefined;
}

export type Prepared =
  | { readonly kind: 'ready'; readonly preparation: Preparation }
  /** Every one with its fix. */
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

export interface PreparationTools {
  readonly now: () => number;
  readonly log: Logger;
}

export async function prepare(config: Config, tools: PreparationTools): Promise<Prepared> {
  const problems: string[] = [];
  const keep = <T>(part: T | Refusal): T | undefined => {
    if (!isRefusal(part)) return part;
    problems.push(...part.problems);
    return undefined;
  };
  const profiles = keep(readProfiles(config));
  const devices = keep(readDevices(config));
  const counters = keep(await readCounters(config, tools.log));
  const fleet = keep(await readFleetPlan(config));
  const webConfig = keep(await readWebConfig(config, tools));
  problems.push(...(await recordingProblems(config, tools.log)));
  if (fleet !== undefined) problems.push(...portProblems(config, fleet));
  const isComplete = profiles && devices && counters && fleet && webConfig;
  if (problems.length > 0 || !isComplete) return { kind: 'invalid', problems };
  return { kind: 'ready', preparation: { profiles, devices, counters, fleet, webConfig: webConfig.file } };
}

interface Refusal {
  readonly problems: readonly string[];
}

function isRefusal(part: unknown): part is Refusal {
  return typeof part === 'object' && part !== null && 'problems' in part && Array.isArray(part.problems);
}

function readProfiles({ profile }: Config): Profiles | Refusal {
  const result = parseProfiles([profile], []);
  if (result.kind === 'profiles') return result.profiles;
  return { problems: [`EXPORTER_PROFILE is ${JSON.stringify(profile)}: ${result.fix}.`] };
}

function readDevices({ devices }: Config): DeviceSelection | Refusal {
  const result = parseDevices(devices);
  if (result.kind === 'devices') return result.devices;
  return { problems: [`EXPORTER_DEVICES is ${JSON.stringify(devices)}: ${result.why}.`] };
}

async function readCounters({ countersFile }: Config, log: Logger): Promise<Counters | Refusal> {
  const counters = createCounters(countersFile);
  const outcome = await counters.load();
  if (outcome.kind === 'refused') return { problems: outcome.problems };
  for (const warning of outcome.warnings) log.warn(warning);
  return counters;
}

async function readFleetPlan(config: Config): Promise<FleetPlan | Refusal> {
  const timeline = await readTimeline(config);
  if (timeline !== undefined && 'problems' in timeline) return timeline;
  const { seed, nodes, gpus, mockProfile: profile, mockBehaviour: behaviour } = config;
  const result = planFleet({ seed, nodes, gpus, profile, behaviour }, timeline);
  return result.kind === 'planned' ? result.plan : { problems: result.problems };
}

const maxTimelineBytes = 4 * 2 ** 20;

async function readTimeline({ timelineFile: file }: Config): Promise<TimelineFile | Refusal | undefined> {
  if (file === undefined) return undefined;
  return readRegularFile(file, maxTimelineBytes).then(
    (source) => ({ file, source }),
    (error: Error) => ({ problems: [`MOCK_TIMELINE: ${file} cannot be read: ${error.message}: name another file.`] }),
  );
}

// A timeline may have more nodes than the settings say.
function portProblems({ nodePorts }: Config, { nodes }: FleetPlan): readonly string[] {
  if (nodePorts === 0 || nodePorts + nodes.length - 1 <= 65_535) return [];
  return [`MOCK_NODE_PORTS is ${nodePorts} and there are ${nodes.length} nodes: the last port would be above 65535.`];
}

// Loaded only where answers are recorded or replayed, which is rare.
async function recordingProblems({ source, replayFile, recordFile }: Config, log: Logger): Promise<readonly string[]> {
  const replay = source === 'replay' ? replayFile : undefined;
  const record = source === 'nvml' ? recordFile : undefined;
  if (replay === undefined && record === undefined) return [];
  const { checkRecordingFiles } = await import('./source/nvml/recording-check.ts');
  return checkRecordingFiles({ replay, record }, log);
}

interface OptionalWebConfig {
  readonly file: WebConfigFile | undefined;
}

// Loaded only where there is a file: with a YAML reader and all of TLS it is larger than the rest of the start.
async function readWebConfig(
  { webConfigFile }: Config,
  { now, log }: PreparationTools,
): Promise<OptionalWebConfig | Refusal> {
  if (webConfigFile === undefined) return { file: undefined };
  const { openWebConfig } = await import('./web/config-file.ts');
  const opened = openWebConfig(webConfigFile, {
    now,
    onReload: () => log.info({ file: webConfigFile }, 'the web configuration was read anew'),
    onRefused: (problems) => log.warn({ problems }, 'the changed web configuration is wrong; the one before stays'),
  });
  return opened.kind === 'opened' ? { file: opened.file } : { problems: opened.problems };
}
