/** One node: its source, the rounds over it, what is remembered of its GPUs, and the pages its scrapes get. */

import type { Logger } from 'pino';
import { type Collector, type CollectorState, createCollector } from './collector.ts';
import type { Profiles } from './metrics/profiles.ts';
import type { SelfMetrics } from './metrics/self-metrics.ts';
import type { NodeProfiles } from './node-profiles.ts';
import { forgottenSince, type Presence, presenceRules } from './presence.ts';
import { createPresenceFile, type PresenceFile } from './presence-file.ts';
import { createScrape, type Scrape } from './scrape.ts';
import type { Snapshot, Source } from './snapshot.ts';

export interface NodeOptions {
  readonly source: Source;
  /** As self-metrics call it: `nvml`, `mock`, `replay`. */
  readonly sourceName: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly maxAgeMs: number;
  /** Reads when it is asked, not on a timer: for fleets of many simulated nodes. */
  readonly isOnDemand: boolean;
  /** Undefined keeps nothing across restarts. */
  readonly stateFile: string | undefined;
  readonly jobErrors: () => number | undefined;
  readonly profiles: NodeProfiles;
  readonly defaultProfiles: Profiles;
  readonly selfMetrics: SelfMetrics;
  readonly now: () => number;
  readonly log: Logger;
}

export interface ExporterNode {
  readonly collector: Collector;
  readonly scrape: Scrape;
  /** Calls `follow` with each snapshot from now on, once. */
  onSnapshot(follow: (snapshot: Snapshot) => void): void;
  stop(): Promise<void>;
}

/** Takes up what an earlier exporter knew, and starts reading unless the node is read on demand. */
export async function startNode(options: NodeOptions): Promise<ExporterNode> {
  const { stateFile: path, now, log, source, isOnDemand } = options;
  const file = path === undefined ? undefined : createPresenceFile({ path, now, log });
  const followers: Follower[] = [options.profiles.observe];
  const collector = collectorOf(options, { file, presence: await file?.load(), followers });
  const scrape = scrapeOf(options, collector, file);
  if (!isOnDemand) collector.start();
  const stop = async () => {
    collector.stop();
    await source.close();
    await file?.close();
  };
  return { collector, scrape, onSnapshot: (follow) => void followers.push(follow), stop };
}

type Follower = (snapshot: Snapshot) => void;

interface Surroundings {
  readonly file: PresenceFile | undefined;
  readonly presence: Presence | undefined;
  readonly followers: readonly Follower[];
}

function collectorOf(options: NodeOptions, { file, presence, followers }: Surroundings): Collector {
  const { source, intervalMs, timeoutMs, now, log, isOnDemand } = options;
  return createCollector({
    source,
    intervalMs,
    timeoutMs,
    now,
    ...(presence === undefined ? {} : { presence }),
    // Nobody knows how often somebody will ask.
    ...(isOnDemand ? { presenceRules: { ...presenceRules, maxGapMs: Number.POSITIVE_INFINITY } } : {}),
    onRound: (before, after) => {
      logTurn(log, before, after);
      const { snapshot } = after;
      if (snapshot !== undefined && snapshot !== before.snapshot) for (const follow of followers) follow(snapshot);
      file?.save(after.presence);
    },
  });
}

function scrapeOf(options: NodeOptions, collector: Collector, file: PresenceFile | undefined): Scrape {
  const { profiles, defaultProfiles, selfMetrics, sourceName, maxAgeMs, now, source, isOnDemand } = options;
  return createScrape({
    state: collector.state,
    profiles: profiles.byName,
    defaultProfiles,
    selfMetrics,
    source: sourceName,
    maxAgeMs,
    now,
    upToDate: isOnDemand ? collector.freshen : collector.firstRound,
    // Pages of thousands of nodes would fill the memory, and each is asked for once per scrape interval at most.
    ...(isOnDemand ? { keepMs: 0 } : {}),
    status: () => source.status?.(),
    jobErrors: options.jobErrors,
    ...(file === undefined ? {} : { isStateFileUp: file.isUp }),
  });
}

// Only the turns are news; a source that stays down would fill the log.
function logTurn(log: Logger, before: CollectorState, after: CollectorState): void {
  if (before.failure === undefined && after.failure !== undefined)
    log.warn({ ...after.failure }, 'the source cannot be read');
  if (before.failure !== undefined && after.failure === undefined) log.info('the source can be read again');
  for (const { kind, ...event } of newEvents(before, after)) {
    log.warn(event, kind === 'lost' ? 'a GPU is lost' : 'a GPU is back');
  }
  for (const { identity } of forgottenSince(before.presence, after.presence)) {
    log.warn({ uuid: identity.uuid }, 'a GPU that has been missing for long, or one of too many, is forgotten');
  }
}

function newEvents(before: CollectorState, after: CollectorState) {
  const known = before.presence.events.at(-1);
  const since = known === undefined ? 0 : after.presence.events.lastIndexOf(known) + 1;
  return after.presence.events.slice(since).filter(({ kind }) => kind === 'lost' || kind === 'returned');
}
