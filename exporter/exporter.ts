/** Puts the exporter together from its configuration, and takes it down again. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Agent } from './agent/agent.ts';
import type { Config } from './config/parse.ts';
import type { CountersOutcome } from './counters-file.ts';
import { type Jobs, startJobs } from './jobs.ts';
import { createSelfMetrics } from './metrics/self-metrics.ts';
import { type NodeDirectory, startNodes } from './node-directory.ts';
import { type OpenedSource, openSource } from './opened-source.ts';
import type { Preparation } from './preparation.ts';
import { nodeHandler, wholeHandler } from './served.ts';
import { createPlainServer, type WebServer } from './web/limited-server.ts';
import { defaultLimits, type RawHandler } from './web/web-limits.ts';

const closeGraceMs = 1_000;

export interface Exporter {
  /** The port it listens on, also when 0 was asked for. */
  readonly port: number;
  /** Where its readings come from: `nvml`, `replay` or `mock`. */
  readonly source: OpenedSource['name'];
  /** Reads the counters file again; a mistake leaves the last good one in force. */
  reload(): Promise<CountersOutcome>;
  close(): Promise<void>;
}

export interface Surroundings {
  readonly version: string;
  readonly now: () => number;
  readonly log: Logger;
}

/** What was started so far. */
type Closers = (() => void | Promise<void>)[];

/** Starts reading and listening. Rejects with the error of `listen` when an address cannot be had, and leaves nothing running. */
export async function startExporter(
  config: Config,
  preparation: Preparation,
  surroundings: Surroundings,
): Promise<Exporter> {
  const closers: Closers = [];
  const close = () => closeAll(closers.splice(0), surroundings.log);
  try {
    return { ...(await start(config, preparation, { ...surroundings, closers })), close };
  } catch (error) {
    await close();
    throw error;
  }
}

// All at once: a thousand ports that each wait for their last answer must not hold up the state files, nor must one that fails.
async function closeAll(closers: Closers, log: Logger): Promise<void> {
  const ends = await Promise.allSettled(closers.map(async (closer) => closer()));
  for (const end of ends) if (end.status === 'rejected') log.error({ err: end.reason }, 'a part did not end cleanly');
}

interface Starting extends Surroundings {
  readonly closers: Closers;
}

async function start(config: Config, preparation: Preparation, starting: Starting): Promise<Omit<Exporter, 'close'>> {
  const { now, log, closers } = starting;
  const opened = await openSource(config, preparation.fleet, { now, log });
  const jobs = startJobs({ directory: config.hpcJobMappingDir, intervalMs: config.collectIntervalMs, log });
  closers.push(jobs.stop);
  const nodes = await startAllNodes(config, { preparation, opened, jobs }, starting);
  const agent = config.agentMode ? await startAgent(config, nodes, starting) : undefined;
  const reload = preparation.counters.load;
  const parts = { config, preparation, opened, nodes, agent, reload, ...starting };
  const server = await serve(preparation, wholeHandler(parts), starting);
  await listen(server, config.port, config);
  await startNodePorts(config, preparation, { nodes, starting });
  return { port: (server.server.address() as AddressInfo).port, source: opened.name, reload };
}

interface Reading {
  readonly preparation: Preparation;
  readonly opened: OpenedSource;
  readonly jobs: Jobs;
}

async function startAllNodes(
  config: Config,
  { preparation, opened, jobs }: Reading,
  { version, now, log, closers }: Starting,
): Promise<NodeDirectory> {
  const build = { version, nodejs: process.version };
  const selfMetrics = {
    first: createSelfMetrics(build, { withProcess: true }),
    others: createSelfMetrics(build, { withProcess: false }),
  };
  const nodes = await startNodes({ config, preparation, opened, jobs, selfMetrics, now, log });
  closers.push(nodes.stop);
  return nodes;
}

async function startAgent(config: Config, { first }: NodeDirectory, { now, log, closers }: Starting): Promise<Agent> {
  const { startAgentMode } = await import('./agent-mode.ts');
  const started = await startAgentMode(config, { node: first, now, log });
  if (started.kind === 'refused') throw new Error(started.problem);
  closers.push(started.agent.stop);
  return started.agent;
}

async function serve(preparation: Preparation, handler: RawHandler, starting: Starting): Promise<WebServer> {
  const server = await createServer(preparation, handler, starting);
  starting.closers.push(() => server.close(closeGraceMs));
  return server;
}

// TLS and passwords are loaded only where a file asks for them.
async function createServer(
  { webConfig: configFile }: Preparation,
  handler: RawHandler,
  { now, log }: Starting,
): Promise<WebServer> {
  if (configFile === undefined) return createPlainServer(handler, defaultLimits);
  const { createWebServer } = await import('./web/web-server.ts');
  return createWebServer({
    configFile,
    handler,
    onHandshakeRefused: (address, reason) => log.debug({ address, reason }, 'a TLS handshake failed'),
    onError: (error) => log.error({ err: error }, 'a request failed'),
    now,
  });
}

async function listen({ server }: WebServer, port: number, { address }: Config): Promise<void> {
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch (error) {
    // Where the kernel has no IPv6, every address means every IPv4 address.
    if (address !== '::' || !isWithoutIpv6(error)) throw error;
    server.listen(port, '0.0.0.0');
    await once(server, 'listening');
  }
}

function isWithoutIpv6(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAFNOSUPPORT';
}

interface NodePorts {
  readonly nodes: NodeDirectory;
  readonly starting: Starting;
}

async function startNodePorts(config: Config, preparation: Preparation, { nodes, starting }: NodePorts): Promise<void> {
  if (config.nodePorts === 0) return;
  for (const [nth, node] of nodes.all.entries()) {
    const server = await serve(preparation, nodeHandler(node, preparation.profiles, starting.log), starting);
    await listen(server, config.nodePorts + nth, config);
  }
}
