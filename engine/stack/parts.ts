/** What each part of the stack is started with. */
import { join } from 'node:path';
import type { InstalledTool } from './inspection.ts';
import { LOOPBACK, type Ports } from './ports.ts';
import type { PartSpec } from './process.ts';
import type { StackSettings } from './stack-settings.ts';
import type { PlannedPart } from './supervisor.ts';

const LEASH = import.meta.resolve('./leash.ts');
/** Prometheus replays its write-ahead log before it is ready. */
const SERVER_READY_MS = 60_000;
const OWN_READY_MS = 30_000;

export interface StackPlan {
  readonly settings: StackSettings;
  readonly ports: Ports;
}

export function url(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}

/** What whoever starts the stack may decide otherwise. */
const EXPORTER_CHOICES = [
  'EXPORTER_COUNTERS_FILE',
  'EXPORTER_PROFILE',
  'AGENT_MODE',
  'AGENT_ID',
  'AGENT_CHECKPOINT_FILE',
];

/** Compiling on other threads fills an arena of malloc for each of them: 10 MiB, for no more scrapes per second. */
const EXPORTER_FLAGS = ['--no-concurrent-recompilation'];

export function exporterPart(plan: StackPlan): PlannedPart {
  const { ports, settings } = plan;
  const env = {
    // The shipped rules read counters beyond the default ones, and two series that only the native profile has.
    EXPORTER_COUNTERS_FILE: join(settings.root, 'rules/counters.csv'),
    EXPORTER_PROFILE: 'dcgm,native',
    // It can be registered as an agent: POST /ping-system/agents/register.
    AGENT_MODE: 'true',
    AGENT_ID: 'agent-001',
    AGENT_CHECKPOINT_FILE: join(settings.dataDir, 'agent.jsonl'),
    ...pick(settings.env, EXPORTER_CHOICES),
    EXPORTER_PORT: String(ports.exporter),
    EXPORTER_ADDRESS: LOOPBACK,
  };
  return ownPart(plan, {
    name: 'exporter',
    flags: EXPORTER_FLAGS,
    entry: 'exporter/main.ts',
    env,
    readyUrl: `${url(ports.exporter)}/-/ready`,
  });
}

/**
 * Every tick replaces much of a large fleet's state, and V8 answers by growing the space for young objects. Capped, 10,000
 * GPUs under a scraping Prometheus take 369 MiB instead of 424, for about the same CPU per tick (162 ms).
 */
const ENGINE_FLAGS = ['--max-semi-space-size=4'];

/** The engine is healthy long before its first decision, which is announced by itself. */
export function enginePart(plan: StackPlan): PlannedPart {
  const { ports, settings } = plan;
  const env = {
    ENGINE_PORT: String(ports.engine),
    ENGINE_ADDRESS: LOOPBACK,
    PROMETHEUS_URL: url(ports.prometheus),
    ALERTMANAGER_URLS: url(ports.alertmanager),
    DATA_DIR: settings.dataDir,
    // Agents of this machine may be pinged, which the default policy refuses.
    POLICY_FILE: join(settings.root, 'rules/policy.local.yml'),
    // Names of agents are looked up on these threads; of the usual four, four slow name servers would take all.
    UV_THREADPOOL_SIZE: '16',
    ...pick(settings.env, ['POLICY_FILE', 'UV_THREADPOOL_SIZE']),
  };
  return ownPart(plan, {
    name: 'engine',
    flags: ENGINE_FLAGS,
    entry: 'engine/main.ts',
    env,
    readyUrl: `${url(ports.engine)}/-/healthy`,
  });
}

export function prometheusPart(plan: StackPlan, tool: InstalledTool): PlannedPart {
  const { dataDir } = plan.settings;
  const args = [
    `--config.file=${join(dataDir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dataDir, 'prometheus')}`,
    '--storage.tsdb.retention.time=7d',
    `--web.listen-address=${LOOPBACK}:${plan.ports.prometheus}`,
    // The engine writes recorded series and ALERTS.
    '--web.enable-remote-write-receiver',
  ];
  return serverPart(plan, {
    name: 'prometheus',
    program: programOf(tool, 'prometheus'),
    args,
    port: plan.ports.prometheus,
  });
}

export function alertmanagerPart(plan: StackPlan, tool: InstalledTool): PlannedPart {
  const { dataDir } = plan.settings;
  const args = [
    `--config.file=${join(dataDir, 'alertmanager.yml')}`,
    `--storage.path=${join(dataDir, 'alertmanager')}`,
    `--web.listen-address=${LOOPBACK}:${plan.ports.alertmanager}`,
    // One machine has no peers to gossip with.
    '--cluster.listen-address=',
  ];
  const program = programOf(tool, 'alertmanager');
  return serverPart(plan, { name: 'alertmanager', program, args, port: plan.ports.alertmanager });
}

/** What of `names` is set, and not to nothing. */
function pick(env: NodeJS.ProcessEnv, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

interface OwnPart {
  readonly name: string;
  /** For Node.js, not for the entry. */
  readonly flags?: readonly string[];
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly readyUrl: string;
}

function ownPart(plan: StackPlan, { name, flags = [], entry, env, readyUrl }: OwnPart): PlannedPart {
  const args = [...flags, '--import', LEASH, join(plan.settings.root, entry)];
  return { spec: spec(plan, { name, program: process.execPath, args, env }), readyUrl, readyTimeoutMs: OWN_READY_MS };
}

interface ServerPart {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly port: number;
}

function serverPart(plan: StackPlan, { port, ...server }: ServerPart): PlannedPart {
  const readyUrl = `${url(port)}/-/ready`;
  return { spec: spec(plan, { ...server, env: {} }), readyUrl, readyTimeoutMs: SERVER_READY_MS };
}

function spec({ settings }: StackPlan, part: Omit<PartSpec, 'cwd' | 'logFile'>): PartSpec {
  return {
    ...part,
    env: { ...settings.env, ...part.env },
    cwd: settings.root,
    logFile: join(settings.dataDir, 'logs', `${part.name}.log`),
  };
}

function programOf(tool: InstalledTool, name: string): string {
  const path = tool.programs[name];
  if (path === undefined) throw new Error(`${tool.title} was found without ${name}`);
  return path;
}
