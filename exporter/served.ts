/** What is answered at which path: the whole exporter on its own port, and one simulated node on a port of that node. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Agent } from './agent/agent.ts';
import type { CollectorState } from './collector.ts';
import type { Config } from './config/parse.ts';
import type { CountersOutcome } from './counters-file.ts';
import { createSlowdownWatch, type SlowdownWatch } from './gpud/slowdown.ts';
import { createHandler } from './http.ts';
import type { Profiles } from './metrics/profiles.ts';
import { xidText } from './metrics/xid.ts';
import type { DirectoryNode, NodeDirectory } from './node-directory.ts';
import type { OpenedSource } from './opened-source.ts';
import type { Preparation } from './preparation.ts';
import type { Routes } from './routes.ts';
import { createScrapeHandler } from './scrape-handler.ts';
import type { SimulatedFleet } from './source/mock/fleet.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface ServedParts {
  readonly config: Config;
  readonly preparation: Preparation;
  readonly opened: OpenedSource;
  readonly nodes: NodeDirectory;
  readonly agent: Agent | undefined;
  readonly reload: () => Promise<CountersOutcome>;
  readonly version: string;
  readonly now: () => number;
  readonly log: Logger;
}

export function wholeHandler(parts: ServedParts): Handler {
  const { nodes, preparation, opened, version, log } = parts;
  const { first } = nodes;
  const slowdowns = createSlowdownWatch();
  first.onSnapshot(slowdowns.observe);
  return createHandler({
    loadRoutes: () => loadRoutes(parts, slowdowns),
    reading: first.scrape.reading,
    source: opened.name,
    version,
    node: first,
    findNode: nodes.find,
    defaultProfiles: preparation.profiles,
    onError: (error) => log.error({ err: error }, 'a request failed'),
  });
}

/** Scrapes of one node, and nothing else: a port of a node that is down answers nothing. */
export function nodeHandler(node: DirectoryNode, defaultProfiles: Profiles, log: Logger): Handler {
  const onError = (error: unknown) => log.error({ err: error }, 'a request failed');
  const scrape = createScrapeHandler({ node, findNode: () => undefined, defaultProfiles, onError });
  return (request, response) => {
    if (!scrape(request, response)) response.writeHead(404).end('Only /metrics is answered here.\n');
  };
}

// What only people and gateways ask for is loaded when they do.
async function loadRoutes(parts: ServedParts, slowdowns: SlowdownWatch): Promise<Routes> {
  const { nodes, opened, agent, reload, config, now } = parts;
  const { first } = nodes;
  const { state } = first.collector;
  const { knownGpuRoutes } = await import('./known-gpus.ts');
  const { reloadRoutes } = await import('./reload.ts');
  const { gpudRoutes } = await import('./gpud/gpud.ts');
  return {
    ...knownGpuRoutes(first.collector),
    ...reloadRoutes(reload),
    ...gpudRoutes({ state, slowdowns: slowdowns.seen, xidText, now }),
    ...(agent === undefined ? {} : await loadAgentRoutes(agent, { state, now })),
    ...(opened.kind === 'simulated' ? await loadSimulationRoutes(opened.fleet, config) : {}),
  };
}

interface Reading {
  readonly state: () => CollectorState;
  readonly now: () => number;
}

async function loadAgentRoutes(agent: Agent, { state: reading, now }: Reading): Promise<Routes> {
  const { agentRoutes } = await import('./agent/routes.ts');
  return agentRoutes({ agent, reading, now });
}

async function loadSimulationRoutes(fleet: SimulatedFleet, config: Config): Promise<Routes> {
  const { simulationRoutes } = await import('./simulate.ts');
  const { discoveryRoutes } = await import('./discovery.ts');
  return { ...simulationRoutes(fleet), ...discoveryRoutes(fleet.nodes, config) };
}
