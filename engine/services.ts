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
import { oneAtATime } from './one-at-a-time.ts';
import { createPromClient } from './prometheus/client.ts';
import type { HistoryStats } from './prometheus/history.ts';
import { preflight } from './prometheus/preflight.ts';
import { Reports } from './report.ts';
import { type ActiveAlert, RuleEvaluator } from './rules/evaluator.ts';
import type { Clock } from './scheduler.ts';
import { openSqliteStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';

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

/** What `createServices` opens, and `close` closes. */
interface Parts {
  readonly store: Store;
  readonly prom: ReturnType<typeof createPromClient>;
  readonly gateStats: GateStats;
  readonly metrics: OwnMetrics;
  readonly engine: Engine;
  readonly notifier: Notifier;
  readonly evaluator: RuleEvaluator;
  readonly reports: Reports;
}

/** Opens store and engine. Rejects with StoreError when the store cannot be used. */
export async function createServices(options: ServiceOptions): Promise<Services> {
  const parts = await openParts(options);
  const stopped = new AbortController();
  const reload = oneAtATime(() => reloadInto(options, parts, stopped.signal));
  let server: Server | undefined;
  return {
    reload,
    run: async (signal) => {
      server = await startServer(options, parts, reload);
      await judge(options, parts, signal);
    },
    close: async () => {
      stopped.abort();
      if (server !== undefined) await closeServer(server, GRACE_MS);
      await closeParts(parts);
    },
  };
}

async function openParts(options: ServiceOptions): Promise<Parts> {
  const { config, configuration, log, clock } = options;
  const store = openStore(options);
  const prom = createPromClient({
    url: config.prometheusUrl,
    timeoutMs: config.prometheusTimeoutMs,
    concurrency: QUERIES_AT_ONCE,
  });
  const stats: HistoryStats = { absurdValues: 0 };
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
  const reports = new Reports({ engine, log, now: clock.now });
  return { store, prom, gateStats, metrics, engine, notifier, evaluator, reports };
}

function openStore({ config, configuration, log }: ServiceOptions): Store {
  const file = configuration.policy.persistenceFile ?? join(config.dataDir, 'engine.db');
  const { store, movedAside } = openSqliteStore(file);
  if (movedAside !== undefined) log.error(`the store was damaged and is kept as ${movedAside}; history is read anew`);
  return store;
}

/** The other way round than they were opened. */
async function closeParts({ evaluator, notifier, prom, store }: Parts): Promise<void> {
  await evaluator.stop();
  await notifier.close(GRACE_MS);
  await prom.close();
  await store.close();
}

async function startServer(options: ServiceOptions, parts: Parts, reload: EngineControl['reload']): Promise<Server> {
  const { config, configuration, log, clock } = options;
  const { engine, evaluator, gateStats } = parts;
  const view = viewOf(engine, evaluator, clock.now);
  const app = createApp({
    view,
    control: { addHold: (hold) => engine.addHold(hold), removeHold: (id) => engine.removeHold(id), reload },
    credentials: { token: config.token, address: config.address },
    metrics: () => renderMetrics(parts, clock.now()),
    log,
    version: manifest.version,
  });
  const onFault = (error: unknown) => log.error({ err: error }, 'a gateway could not be answered');
  const { server, port } = await listen({ view, app, gateStats, onFault, address: config.address, port: config.port });
  log.info({ address: config.address, port, policy: configuration.policy.revision }, 'listening');
  return server;
}

async function* renderMetrics(
  { engine, evaluator, notifier, metrics }: Parts,
  nowMs: number,
): AsyncGenerator<string, void, undefined> {
  yield* renderDerived(engine.judged(), engine.holds(), nowMs);
  yield renderAlerts(evaluator, notifier);
  yield await metrics.registry.metrics();
}

/** Until the signal aborts. */
async function judge(options: ServiceOptions, parts: Parts, signal: AbortSignal): Promise<void> {
  const { engine, evaluator, reports } = parts;
  reports.start();
  try {
    void warnOfMissingSeries(options, signal);
    await evaluator.start(options.configuration.groups);
    await engine.run(signal);
  } finally {
    await reports.stop();
  }
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
  { config, env, log }: ServiceOptions,
  { engine, evaluator, reports }: Parts,
  signal: AbortSignal,
): ReturnType<EngineControl['reload']> {
  const read = await readConfiguration(config, env);
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
  const { policy, groups, warnings } = read.configuration;
  await evaluator.reload(groups);
  await reports.reschedule();
  if (warnings !== '') log.warn(warnings);
  log.info({ policy: policy.revision }, 'reloaded');
  return { ok: true, revision: policy.revision };
}
