/** Wires the engine's parts together and takes them apart again, in order. */

import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };
import { Notifier } from './alertmanager/notifier.ts';
import { AlertmanagerPeer } from './alertmanager/peer.ts';
import type { EngineConfig } from './config.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { Engine } from './engine.ts';
import { createApp } from './http/app.ts';

import { closeServer, listen } from './http/server.ts';
import type { EngineControl, EngineView, ShownAlert } from './http/view.ts';
import { renderAlerts } from './metrics/alerts.ts';
import { renderDerived } from './metrics/derived.ts';
import { createOwnMetrics, type GateStats, type OwnMetrics } from './metrics/own.ts';
import { createPromClient } from './prometheus/client.ts';
import { preflight } from './prometheus/preflight.ts';
import { scheduleReports } from './report.ts';
import { type ActiveAlert, RuleEvaluator } from './rules/evaluator.ts';
import type { Clock } from './scheduler.ts';
import { openSqliteStore } from './store/sqlite.ts';

export interface ServiceOptions {
  readonly config: EngineConfig;
  readonly configuration: Configuration;
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

export interface Services {
  /** Listens and judges until the signal aborts. Rejects when the port cannot be had. */
  run(signal: AbortSignal): Promise<void>;
  reload: EngineControl['reload'];
  close(): Promise<void>;
}

/** How long an orderly stop waits for running requests, and for alerts still queued. */
const GRACE_MS = 3000;
const QUERIES_AT_ONCE = 4;
/** A Prometheus that has just started deserves a few scrapes before it is told what it lacks. */
const PREFLIGHT_AFTER_MS = 60_000;

/** Opens store and engine. Rejects with StoreError when the store cannot be used. */
export async function createServices(options: ServiceOptions): Promise<Services> {
  const { config, configuration, log, clock } = options;
  const file = configuration.policy.persistenceFile ?? join(config.dataDir, 'engine.db');
  const { store, movedAside } = openSqliteStore(file);
  if (movedAside !== undefined) log.error(`the store was damaged and is kept as ${movedAside}; history is read anew`);
  const prom = createPromClient({
    url: config.prometheusUrl,
    timeoutMs: config.prometheusTimeoutMs,
    concurrency: QUERIES_AT_ONCE,
  });
  const stats = { absurdValues: 0 };
  const gateStats: GateStats = { answers: new Map() };
  const metrics: OwnMetrics = createOwnMetrics({
    version: manifest.version,
    gateStats,
    history: stats,
    backlogTicks: () => engine.backlogTicks(),
    dataAgeSeconds: () => ageSeconds(engine, clock.now()),
    isReady: () => engine.isReady(),
  });
  const engine = await Engine.open({ clock, prom, store, log, stats, metrics }, configuration.policy);
  const notifier = createNotifier(options);
  const ports = { ...clock, query: prom, store, sink: notifier, onProblem: (text: string) => log.warn(text) };
  const evaluator = new RuleEvaluator(ports, { queryTimeoutMs: config.prometheusTimeoutMs });
  const stopped = new AbortController();
  const reload = () => reloadInto(options, engine, evaluator, stopped.signal);
  const view = viewOf(engine, evaluator, clock.now);
  const app = createApp({
    view,
    control: { addHold: (hold) => engine.addHold(hold), removeHold: (id) => engine.removeHold(id), reload },
    credentials: { token: config.token, address: config.address },
    metrics: async function* () {
      yield* renderDerived(engine.judged(), engine.holds(), clock.now());
      yield renderAlerts(evaluator, notifier);
      yield await metrics.registry.metrics();
    },
    log,
    version: manifest.version,
  });
  let server: Server | undefined;
  return {
    reload,
    run: async (signal) => {
      const listening = await listen({ view, app, gateStats, address: config.address, port: config.port });
      server = listening.server;
      log.info({ address: config.address, port: listening.port, policy: configuration.policy.revision }, 'listening');
      const tasks = scheduleReports(engine, log, clock.now);
      void warnOfMissingSeries(options, signal);
      await evaluator.start(configuration.groups);
      await engine.run(signal);
      await Promise.all(tasks.map((task) => task.destroy()));
    },
    close: async () => {
      stopped.abort();
      if (server !== undefined) await closeServer(server, GRACE_MS);
      await evaluator.stop();
      await notifier.close(GRACE_MS);
      await prom.close();
      await store.close();
    },
  };
}

async function warnOfMissingSeries(
  { config, configuration, log, clock }: ServiceOptions,
  signal: AbortSignal,
): Promise<void> {
  await clock.sleep(PREFLIGHT_AFTER_MS, signal);
  if (signal.aborted) return;
  const { prometheusUrl: url, prometheusTimeoutMs: timeoutMs } = config;
  const sentences = await preflight({ url, policy: configuration.policy, atMs: clock.now(), timeoutMs });
  for (const sentence of sentences) log.warn(sentence);
}

function createNotifier({ config, log, clock }: ServiceOptions): Notifier {
  const ports = { ...clock, random: Math.random, onProblem: (text: string) => log.warn(text) };
  const peer = (url: string) => new AlertmanagerPeer({ url, prometheusUrl: config.prometheusUrl }, ports);
  return new Notifier(config.alertmanagerUrls.map(peer));
}

function ageSeconds(engine: Engine, nowMs: number): number | undefined {
  const { tickMs } = engine.judged().state;
  return tickMs === undefined ? undefined : (nowMs - tickMs) / 1000;
}

function viewOf(engine: Engine, evaluator: RuleEvaluator, now: () => number): EngineView {
  return {
    now,
    judged: () => engine.judged(),
    holds: () => engine.holds(),
    alerts: () => evaluator.activeAlerts().map(shownAlert),
    isReady: () => engine.isReady(),
    lastFailure: () => engine.lastFailure(),
    backlogTicks: () => engine.backlogTicks(),
  };
}

function shownAlert({ name, state, severity, annotations, labels, activeAt, firedAt }: ActiveAlert): ShownAlert {
  return { name, state, severity, summary: annotations.summary ?? '', labels, sinceMs: firedAt ?? activeAt };
}

/** All or nothing: rules and policy change together, and only when both are good and history could be read. */
async function reloadInto(
  options: ServiceOptions,
  engine: Engine,
  evaluator: RuleEvaluator,
  signal: AbortSignal,
): ReturnType<EngineControl['reload']> {
  const { config, env, log } = options;
  const read = readConfiguration(config, env);
  if (!read.ok) {
    log.error(`reload refused, the last good configuration stays:\n${read.text}`);
    return read;
  }
  try {
    await engine.usePolicy(read.configuration.policy, signal);
  } catch (error) {
    const text = `history cannot be read for the new policy: ${error instanceof Error ? error.message : String(error)}`;
    log.error(`reload refused, the last good configuration stays: ${text}`);
    return { ok: false, text };
  }
  await evaluator.reload(read.configuration.groups);
  log.info({ policy: read.configuration.policy.revision }, 'reloaded');
  return { ok: true, revision: read.configuration.policy.revision };
}
