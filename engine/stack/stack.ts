/** The whole system on one machine: exporter, Prometheus, Alertmanager, notification receiver and engine. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { startReceiver } from '../alertmanager/receiver.ts';
import { findTool } from './binaries.ts';
import { localAlertmanagerConfig, localPrometheusConfig } from './configs.ts';
import { openDataDirectory } from './data-directory.ts';
import { gpuSource } from './gpu-source.ts';
import type { InstalledTool } from './inspection.ts';
import { warningIn } from './log-line.ts';
import { alertmanagerPart, enginePart, exporterPart, prometheusPart, type StackPlan, url } from './parts.ts';
import { claimPorts, LOOPBACK } from './ports.ts';
import { Refusal } from './refusal.ts';
import { endStaleParts, forgetStack, recordStack } from './stack-file.ts';
import type { StackSettings } from './stack-settings.ts';
import { createSupervisor, type PlannedPart, type Supervisor } from './supervisor.ts';

export interface Stack {
  /** Brings everything up, one line each; returns the engine's URL. Throws Refusal. */
  start(interruption: AbortSignal): Promise<string>;
  /** Settles with a sentence when a part ends by itself. */
  readonly failed: Promise<string>;
  /** Ends whatever runs, in reverse order; returns the names of what it ended. */
  stop(): Promise<readonly string[]>;
}

/** Nothing happens before `start`; `onLine` hears everything that a person should read. */
export function createStack(settings: StackSettings, onLine: (line: string) => void): Stack {
  let isStopping = false;
  // Prometheus asks the engine for agents, and complains until there is one.
  let awaited: string | undefined;
  const supervisor = createSupervisor({
    onLine: (name, line) => {
      const warning = warningIn(line);
      const isExpected = awaited !== undefined && warning?.includes(awaited);
      // What parts say about being ended is no news either.
      if (warning !== undefined && !isStopping && !isExpected) onLine(`${name}: ${warning}`);
    },
    onChange: (parts) => recordStack(settings.dataDir, parts),
  });
  // A part that dies while another one starts ends that start too.
  const broken = new AbortController();
  void supervisor.failed.then((notice) => broken.abort(new Refusal([notice])));
  let closeReceiver = async (): Promise<void> => {};
  let ownsDataDir = false;

  async function start(interruption: AbortSignal): Promise<string> {
    const signal = AbortSignal.any([interruption, broken.signal]);
    await takeDataDirectory(settings.dataDir, onLine);
    ownsDataDir = true;
    const { plan, tools } = await prepare(settings, onLine);
    const run = (title: string, version: string, part: PlannedPart) =>
      startAndReport(supervisor, { title, version, part, signal, onLine });
    await run('exporter', packageJson.version, exporterPart(plan));
    onLine(row('', '', (await gpuSource(url(plan.ports.exporter))) ?? 'its GPUs are not known yet'));
    awaited = url(plan.ports.engine);
    await run('Prometheus', tools.prometheus.version, prometheusPart(plan, tools.prometheus));
    await run('Alertmanager', tools.alertmanager.version, alertmanagerPart(plan, tools.alertmanager));
    const receiver = await startReceiver({ host: LOOPBACK, port: plan.ports.notifications, onLine });
    closeReceiver = () => receiver.close();
    onLine(row('notifications', url(receiver.port), 'printed here'));
    await run('engine', packageJson.version, enginePart(plan));
    awaited = undefined;
    return url(plan.ports.engine);
  }

  async function stop(): Promise<readonly string[]> {
    isStopping = true;
    const ended = await supervisor.stop();
    await closeReceiver();
    // A start that was refused because another one runs must leave that one's record alone.
    if (ownsDataDir) forgetStack(settings.dataDir);
    return ended;
  }

  return { start, failed: supervisor.failed, stop };
}

interface Prepared {
  readonly plan: StackPlan;
  readonly tools: { readonly prometheus: InstalledTool; readonly alertmanager: InstalledTool };
}

async function takeDataDirectory(dataDir: string, onLine: (line: string) => void): Promise<void> {
  await openDataDirectory(dataDir);
  const stale = await endStaleParts(dataDir);
  if (stale.length > 0) onLine(`ended what a killed start had left behind: ${stale.join(', ')}`);
}

/** Everything that can be refused is refused here, before the first part runs. */
async function prepare(settings: StackSettings, onLine: (line: string) => void): Promise<Prepared> {
  const plan = { settings, ports: await claimPorts(settings.env) };
  const finder = { toolsDir: settings.toolsDir, env: settings.env, onProgress: onLine };
  const [prometheus, alertmanager] = await Promise.all([
    findTool('prometheus', finder),
    findTool('alertmanager', finder),
  ]);
  await writeConfigs(plan);
  return { plan, tools: { prometheus, alertmanager } };
}

async function writeConfigs({ settings: { root, dataDir }, ports }: StackPlan): Promise<void> {
  const alertmanagerDir = join(root, 'alertmanager');
  const rulesDir = join(root, 'rules');
  const prometheus = await readFile(join(rulesDir, 'prometheus.yml'), 'utf8');
  const alertmanager = await readFile(join(alertmanagerDir, 'alertmanager.yml'), 'utf8');
  await writeFile(join(dataDir, 'prometheus.yml'), localPrometheusConfig(prometheus, rulesDir, ports));
  await writeFile(join(dataDir, 'alertmanager.yml'), localAlertmanagerConfig(alertmanager, alertmanagerDir, ports));
}

interface Launch {
  readonly title: string;
  readonly version: string;
  readonly part: PlannedPart;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

async function startAndReport(supervisor: Supervisor, { title, version, part, signal, onLine }: Launch): Promise<void> {
  signal.throwIfAborted();
  const { pid } = await supervisor.start(part, signal);
  signal.throwIfAborted();
  onLine(row(title, new URL(part.readyUrl).origin, `${version}, pid ${pid}`));
}

function row(title: string, address: string, detail: string): string {
  return `${title.padEnd(14)} ${address.padEnd(23)} ${detail}`;
}
