/** The nodes this process answers for: the machine it runs on, or every node of a simulated fleet. */

import type { Logger } from 'pino';
import type { Config } from './config/parse.ts';
import type { Jobs } from './jobs.ts';
import type { SelfMetrics } from './metrics/self-metrics.ts';
import { type ExporterNode, startNode } from './node.ts';
import { createNodeProfiles } from './node-profiles.ts';
import type { OpenedSource } from './opened-source.ts';
import type { Preparation } from './preparation.ts';
import type { ScrapedNode } from './scrape-handler.ts';
import type { Source } from './snapshot.ts';

export interface DirectoryNode extends ExporterNode, ScrapedNode {
  readonly name: string;
}

export interface NodeDirectory {
  /** The machine, or the first simulated node: the one at `/metrics`. */
  readonly first: DirectoryNode;
  readonly all: readonly DirectoryNode[];
  /** A simulated node by its name. */
  find(name: string): DirectoryNode | undefined;
  stop(): Promise<void>;
}

export interface DirectoryOptions {
  readonly config: Config;
  readonly preparation: Preparation;
  readonly opened: OpenedSource;
  readonly jobs: Pick<Jobs, 'current' | 'errors'>;
  /** Metrics of the process go onto the page of the first node alone. */
  readonly selfMetrics: { readonly first: SelfMetrics; readonly others: SelfMetrics };
  readonly now: () => number;
  readonly log: Logger;
}

/** So many cards may hang at the same time without a word about the others being withheld. */
const hungAtOnce = 3;
/** Each of them costs a driver process; generous, since the machine may be busy. */
const newProcessMs = 1_000;
const shortestTimeoutMs = 5_000;
const shortestMaxAgeMs = 10_000;

export async function startNodes(options: DirectoryOptions): Promise<NodeDirectory> {
  const members = membersOf(options);
  const all = await Promise.all(members.map((member, nth) => startMember(member, nth, options)));
  const [first] = all;
  if (first === undefined) throw new Error('a fleet has at least one node');
  const byName = new Map(all.map((node) => [node.name, node]));
  return {
    first,
    all,
    find: (name) => (options.opened.kind === 'simulated' ? byName.get(name) : undefined),
    stop: async () => {
      await Promise.all(all.map((node) => node.stop()));
    },
  };
}

interface Member {
  readonly name: string;
  /** Value of its hostname labels. */
  readonly hostname: string;
  readonly source: Source;
  readonly reachability: ScrapedNode['reachability'];
}

function membersOf({ config, opened }: DirectoryOptions): readonly Member[] {
  if (opened.kind === 'machine') {
    const { hostname } = config;
    return [{ name: hostname, hostname, source: opened.source, reachability: () => 'ok' }];
  }
  const { nodes } = opened.fleet;
  // A fleet of one stands for this machine.
  return nodes.map((node) => ({ ...node, hostname: nodes.length === 1 ? config.hostname : node.name }));
}

async function startMember(member: Member, nth: number, options: DirectoryOptions): Promise<DirectoryNode> {
  const { config, preparation, opened, jobs, selfMetrics, now, log } = options;
  const { collectIntervalMs: intervalMs } = config;
  const node = await startNode({
    source: member.source,
    sourceName: opened.name,
    intervalMs,
    timeoutMs: timeoutOf(config),
    maxAgeMs: maxAgeOf(config),
    // A timer for each of a thousand nodes would keep a processor busy for pages that nobody asks for.
    isOnDemand: nth > 0,
    stateFile: nth > 0 ? undefined : stateFileOf(config, opened),
    jobErrors: jobs.errors,
    profiles: createNodeProfiles({
      ...config,
      hostname: member.hostname,
      devices: preparation.devices,
      selection: preparation.counters.selection,
      jobs: jobs.current,
    }),
    defaultProfiles: preparation.profiles,
    selfMetrics: nth > 0 ? selfMetrics.others : selfMetrics.first,
    now,
    log: opened.kind === 'simulated' ? log.child({ node: member.name }) : log,
  });
  return { ...node, name: member.name, reachability: member.reachability };
}

/** Readings older than this are withheld, in milliseconds. Rounds may be as far apart as they are meant to be. */
export function maxAgeOf(config: Config): number {
  return Math.max(shortestMaxAgeMs, 2 * config.collectIntervalMs + timeoutOf(config));
}

// GPUs that hang are given up one after the other, and what is known of the others must outlast that: a round that ends without
// a reading would say that nobody knows how any GPU is. A new process grants each GPU twice the limit.
function timeoutOf({ readTimeoutMs }: Config): number {
  return Math.max(shortestTimeoutMs, hungAtOnce * (2 * readTimeoutMs + newProcessMs));
}

// Simulated GPUs are others after a restart with another seed: remembering them would only confuse.
function stateFileOf({ stateFile }: Config, { name }: OpenedSource): string | undefined {
  return stateFile ?? (name === 'nvml' ? 'data/gpus.json' : undefined);
}
