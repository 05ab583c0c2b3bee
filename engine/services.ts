/** Wires the engine's parts together and takes them apart again, in order. */
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };
import { Notifier } from './alertmanager/notifier.ts';
import type { EngineConfig } from './config.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import type { Policy } from './core/policy.ts';
import { Engine } from './engine.ts';
import { engineView } from './engine-view.ts';
import { createApp } from './http/app.ts';
import { closeServer, listen } from './http/server.ts';
import type { EngineControl } from './http/view.ts';
import { LiveActions } from './live-actions.ts';
import { Maintenance } from './maintenance.ts';
import { renderAlerts } from './metrics/alerts.ts';
import { renderDerived } from './metrics/derived.ts';
import { renderGpuStates } from './metrics/gpu-state.ts';
import { renderMaintenance } from './metrics/maintenance.ts';
import { createOwnMetrics, type GateStats, type OwnMetrics } from './metrics/own.ts';
import { renderPings } from './metrics/pings.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { openPinging, type Pinging } from './pinging.ts';
import { createPromClient } from './prometheus/client.ts';
import type { HistoryStats } from './prometheus/history.ts';
import { openPassage, type Passage } from './prometheus/passage.ts';
import { preflight } from './prometheus/preflight.ts';
import type { PromQuery } from './prometheus/query.ts';
import { Reports } from './report.ts';
import { createRuleEvaluation, type RuleEvaluation, surroundingsOf } from './rule-evaluation.ts';
import type { RuleEvaluator } from './rules/evaluator.ts';
import type { Clock } from './scheduler.ts';
import { openStores, type Stores } from './stores.ts';
import { messageOf } from './text/message-of.ts';
import { together } from './together.ts';

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
/** Of other clients. A dashboard asks for all of its panels at once, and its queries may take longer than a tick's. */
const PASSED = { connections: 6, requests: 200, timeoutMs: 30_000 };
/** A Prometheus that has just started deserves a few scrapes before it is told what it lacks. */
const PREFLIGHT_AFTER_MS = 60_000;

/** What `createServices` opens, and `close` closes. */
interface Parts {
  readonly stores: Stores;
  readonly prom: ReturnType<typeof createPromClient>;
  readonly passage: Passage;
  readonly gateStats: GateStats;
  readonly metrics: OwnMetrics;
  readonly engine: Engine;
  readonly notifier: Notifier;
  readonly live: LiveActions;
  readonly maintenance: Maintenance;
  readonly evaluator: RuleEvaluator;
  readonly ruleEvaluation: RuleEvaluation;
  readonly reports: Reports;
  readonly pinging: Pinging;
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
  const stores = await openStores(config, configuration.policy.persistenceFile, log);
  const { own: store } = stores;
  const prom = createPromClient({
    url: config.prometheusUrl,
    timeoutMs: config.prometheusTimeoutMs,
    concurrency: QUERIES_AT_ONCE,
    http: configuration.prometheusHttp,
  });
  const passage = openPassage({ ...PASSED, url: config.prometheusUrl, http: configuration.prometheusHttp });
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
  const notifier = createNotifier(options);
  const maintenance = await Maintenance.open({
    clock,
    store,
    log,
    judged: () => engine.judged(),
    peers: () => notifier.addresses(),
  });
  const planned = (policy: Policy) => maintenance.calendar(policy);
  const ports = { clock, prom, store, log, stats, metrics, maintenance: planned };
  const engine = await Engine.open(ports, configuration.policy);
  const live = new LiveActions({
    judged: () => engine.judged(),
    activeAlerts: () => evaluator.activeAlerts(),
    sink: notifier,
  });
  const ruleEvaluation = createRuleEvaluation({ ...options, store, sink: live });
  const { evaluator } = ruleEvaluation;
  const reports = new Reports({ engine, log, now: clock.now });
  const policy = () => engine.judged().plan.policy;
  const pinging = await openPinging({ config, reach: configuration, stores, policy, clock, log });
  return {
    stores,
    prom,
    passage,
    gateStats,
    metrics,
    engine,
    notifier,
    live,
    maintenance,
    evaluator,
    ruleEvaluation,
    reports,
    pinging,
  };
}

/** The other way round than they were opened; what reaches other servers ends at once together. */
async function closeParts({
  evaluator,
  ruleEvaluation,
  notifier,
  passage,
  pinging,
  prom,
  stores,
}: Parts): Promise<void> {
  await evaluator.stop();
  await Promise.all([ruleEvaluation, notifier, passage, pinging, prom].map((part) => part.close(GRACE_MS)));
  await stores.close();
}

async function startServer(options: ServiceOptions, parts: Parts, reload: EngineControl['reload']): Promise<Server> {
  const { config, configuration, log, clock } = options;
  const { engine, gateStats, passage, pinging } = parts;
  const view = engineView(config, parts, clock.now);
  const app = createApp({
    view,
    control: { addHold: (hold) => engine.addHold(hold), removeHold: (id) => engine.removeHold(id), reload },
    credentials: config,
    queries: { passage, isProtected: config.prometheusClientFile !== undefined },
    pings: pinging.service,
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
  { engine, evaluator, live, maintenance, notifier, metrics, pinging }: Parts,
  nowMs: number,
): AsyncGenerator<string, void, undefined> {
  yield* renderDerived(engine.judged(), engine.holds(), nowMs);
  yield* renderGpuStates(engine.judged(), live.book());
  yield renderMaintenance(engine.judged(), maintenance.view(), nowMs);
  yield renderAlerts(evaluator, notifier);
  yield* renderPings(pinging.service, nowMs);
  yield await metrics.registry.metrics();
}

/** Until the signal aborts. */
async function judge(options: ServiceOptions, parts: Parts, signal: AbortSignal): Promise<void> {
  const { engine, evaluator, maintenance, pinging, reports } = parts;
  reports.start();
  // What is declared counts from the first tick, so it is heard before that is judged.
  await maintenance.poll(signal);
  await together(signal, [
    (until) => maintenance.run(until),
    (until) => pinging.run(until),
    async (until) => {
      void warnOfMissingSeries(options, parts.prom, until);
      await evaluator.start(options.configuration.groups, surroundingsOf(options.configuration));
      await engine.run(until);
    },
  ]).finally(() => reports.stop());
}

async function warnOfMissingSeries(
  { config, configuration, log, clock }: ServiceOptions,
  prom: PromQuery,
  signal: AbortSignal,
): Promise<void> {
  await clock.sleep(PREFLIGHT_AFTER_MS, signal);
  if (signal.aborted) return;
  const { prometheusUrl: url, prometheusTimeoutMs: timeoutMs } = config;
  const isPlain = config.prometheusClientFile === undefined;
  const look = { url, policy: configuration.policy, atMs: clock.now(), timeoutMs, ...(isPlain ? {} : { prom }) };
  const sentences = await preflight(look);
  for (const sentence of sentences) log.warn(sentence);
}

function createNotifier({ config, configuration, log, clock }: ServiceOptions): Notifier {
  const ports = { ...clock, random: Math.random, onProblem: (text: string) => log.warn(text) };
  const notifier = new Notifier({ externalUrl: config.externalUrl, checkEveryMs: config.alertCheckMs }, ports);
  notifier.use(configuration.alerting);
  return notifier;
}

function ageSeconds(engine: Engine, nowMs: number): number | undefined {
  const { tickMs } = engine.judged().state;
  return tickMs === undefined ? undefined : (nowMs - tickMs) / 1000;
}

/** All or nothing: rules and policy change together, and only when both are good and history could be read. */
async function reloadInto(
  { config, env, log }: ServiceOptions,
  { engine, evaluator, notifier, passage, pinging, prom, reports, ruleEvaluation }: Parts,
  signal: AbortSignal,
): ReturnType<EngineControl['reload']> {
  const read = await readConfiguration(config, env);
  if (!read.ok) {
    log.error(`reload refused, the last good configuration stays:\n${read.text}`);
    return read;
  }
  const { policy, groups, alerting, prometheusHttp, warnings } = read.configuration;
  // Where the credentials have changed, the old ones may not read the history that the new policy needs.
  const previousHttp = prom.use(prometheusHttp);
  try {
    await engine.usePolicy(policy, signal);
  } catch (error) {
    prom.use(previousHttp);
    const text = `history cannot be read for the new policy: ${messageOf(error)}`;
    log.error(`reload refused, the last good configuration stays: ${text}`);
    return { ok: false, text };
  }
  passage.use(prometheusHttp);
  ruleEvaluation.use(prometheusHttp);
  notifier.use(alerting);
  pinging.use(read.configuration);
  await evaluator.reload(groups, surroundingsOf(read.configuration));
  await reports.reschedule();
  if (warnings !== '') log.warn(warnings);
  log.info({ policy: policy.revision }, 'reloaded');
  return { ok: true, revision: policy.revision };
}
