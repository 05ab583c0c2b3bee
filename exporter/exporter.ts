/** Puts the exporter together from its configuration, and takes it down again. */

import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Collector, type CollectorState, createCollector } from './collector.ts';
import type { Config } from './config/parse.ts';
import { createHttpServer } from './http.ts';
import { createSelfMetrics } from './metrics/self-metrics.ts';
import { createScrape } from './scrape.ts';
import type { Source } from './snapshot.ts';
import { a100Sxm80 } from './source/mock/profiles.ts';
import { createMockSource } from './source/mock/source.ts';

const readTimeoutMs = 5_000;
const maxSampleAgeMs = 10_000;
const closeTimeoutMs = 1_000;

export interface Exporter {
  /** The port it listens on, also when 0 was asked for. */
  readonly port: number;
  close(): Promise<void>;
}

export interface Surroundings {
  readonly version: string;
  readonly now: () => number;
  readonly log: Logger;
}

/** Starts listening and reading. Rejects with the error of `listen` when the address cannot be had. */
export async function startExporter(config: Config, surroundings: Surroundings): Promise<Exporter> {
  const parts = assemble(config, surroundings);
  const { server, collector } = parts;
  server.listen(config.port, config.address);
  await once(server, 'listening');
  collector.start();
  return { port: (server.address() as AddressInfo).port, close: () => takeDown(parts) };
}

interface Parts {
  readonly source: Source;
  readonly collector: Collector;
  readonly server: Server;
}

function assemble(config: Config, { version, now, log }: Surroundings): Parts {
  const source = createMockSource({ profile: a100Sxm80, seed: config.seed, gpus: config.gpus }, now);
  const collector = createCollector({
    source,
    intervalMs: config.collectIntervalMs,
    timeoutMs: readTimeoutMs,
    now,
    onRound: (before, after) => logTurn(log, before, after),
  });
  const scrape = createScrape({
    state: collector.state,
    selfMetrics: createSelfMetrics({ version, nodejs: process.version }, { withProcess: true }),
    source: 'mock',
    hostname: config.hostname,
    maxAgeMs: maxSampleAgeMs,
    now,
  });
  const onError = (error: unknown) => log.error({ err: error }, 'a request failed');
  return {
    source,
    collector,
    server: createHttpServer({ scrape, source: 'mock', version, faults: source.faults, onError }),
  };
}

// Answers under way may finish; after the time limit they are cut off.
async function takeDown({ source, collector, server }: Parts): Promise<void> {
  collector.stop();
  const closed = once(server, 'close');
  server.close();
  await Promise.race([Promise.all([closed, source.close()]), delay(closeTimeoutMs, undefined, { ref: false })]);
  server.closeAllConnections();
}

// Only the turns are news; a source that stays down would fill the log.
function logTurn(log: Logger, before: CollectorState, after: CollectorState): void {
  if (before.failure === undefined && after.failure !== undefined)
    log.warn({ ...after.failure }, 'the source cannot be read');
  if (before.failure !== undefined && after.failure === undefined) log.info('the source can be read again');
}
