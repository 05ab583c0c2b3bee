/** Reads Prometheus history as observations: one tick by instant queries, many ticks by range queries on the same grid. */
import { type AlertSighting, isAbsurd, type Observation, type Readings, type Sighting } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';
import {
  actionQuery,
  checkQueries,
  JOB,
  observerQuery,
  presenceQuery,
  rememberQuery,
  targetKey,
  targetQuery,
} from '../core/queries.ts';
import type { Labels, PromQuery, Range, Sample, Series } from './query.ts';

export interface HistoryStats {
  /** Values dropped because no sensor can have reported them. */
  absurdValues: number;
}

export interface History {
  readonly prom: PromQuery;
  readonly policy: Policy;
  readonly stats: HistoryStats;
}

/** Observes one tick. Throws QueryError when any of its queries fails: half a tick is not judged. */
export async function readTick(history: History, atMs: number, signal: AbortSignal): Promise<Observation> {
  const { prom, policy } = history;
  const ask = (expr: string) => prom.instant(expr, atMs, signal);
  const checks = checkQueries(policy);
  const [observer, targets, presence, actions, ...readings] = await Promise.all([
    ask(observerQuery(policy)),
    ask(targetQuery(policy)),
    ask(presenceQuery(policy)),
    ask(actionQuery(policy)),
    ...checks.map(ask),
  ]);
  return {
    atMs,
    observerAtMs: instantOf(observer[0]?.value),
    targets: readingsBy(targetOf(policy), targets),
    sightings: presence.flatMap(({ labels, value }) => sightingOf(policy, labels, value) ?? []),
    readings: new Map(checks.map((query, i) => [query, checkReadings(history, readings[i] ?? [])])),
    actions: actions.flatMap(({ labels, value }) => alertOf(labels, value) ?? []),
  };
}

/** Observes every tick of the range, oldest first. Throws QueryError. */
export async function readTicks(history: History, range: Range, signal: AbortSignal): Promise<readonly Observation[]> {
  const { prom, policy } = history;
  const ask = (expr: string) => prom.range(expr, range, signal);
  const checks = checkQueries(policy);
  const observer = await ask(observerQuery(policy));
  const targets = columnsBy(targetOf(policy), await ask(targetQuery(policy)));
  const presence = await ask(presenceQuery(policy));
  const actions = await ask(actionQuery(policy));
  const columns: (readonly [string, ReadonlyMap<string, Float64Array>])[] = [];
  for (const query of checks) columns.push([query, columnsBy(gpuOf(policy), dropAbsurd(history, await ask(query)))]);
  const ticks = Math.floor((range.endMs - range.startMs) / range.stepMs) + 1;
  return Array.from({ length: ticks }, (_, i) => ({
    atMs: range.startMs + i * range.stepMs,
    observerAtMs: instantOf(observer[0]?.values[i]),
    targets: column(targets, i),
    sightings: presence.flatMap(({ labels, values }) => sightingOf(policy, labels, values[i]) ?? []),
    readings: new Map(columns.map(([query, byGpu]) => [query, column(byGpu, i)])),
    actions: actions.flatMap(({ labels, values }) => alertOf(labels, values[i]) ?? []),
  }));
}

/** GPUs that were alive during the `remember` span before `atMs`. Throws QueryError. */
export async function readRemembered(
  history: History,
  atMs: number,
  signal: AbortSignal,
): Promise<readonly Sighting[]> {
  const vector = await history.prom.instant(rememberQuery(history.policy), atMs, signal);
  return vector.flatMap(({ labels, value }) => sightingOf(history.policy, labels, value) ?? []);
}

/** How many GPUs have a presence sample at `atMs`. Throws QueryError. */
export async function countGpus({ prom, policy }: History, atMs: number, signal: AbortSignal): Promise<number> {
  const [count] = await prom.instant(`count(${presenceQuery(policy)})`, atMs, signal);
  return count?.value ?? 0;
}

function instantOf(seconds: number | undefined): number | undefined {
  return seconds === undefined || Number.isNaN(seconds) ? undefined : Math.round(seconds * 1000);
}

function sightingOf(policy: Policy, labels: Labels, seconds: number | undefined): Sighting | undefined {
  const sampledAtMs = instantOf(seconds);
  const gpu = labels[policy.identity.gpu];
  if (sampledAtMs === undefined || gpu === undefined) return undefined;
  const described: Record<string, string> = {};
  for (const name of policy.identity.labels) {
    const value = labels[name];
    if (value !== undefined) described[name] = value;
  }
  const node = labels[policy.identity.node] ?? '';
  return { gpu, node, target: targetKey(node, labels[JOB] ?? ''), labels: described, sampledAtMs };
}

function alertOf(labels: Labels, seconds: number | undefined): AlertSighting | undefined {
  const sampledAtMs = instantOf(seconds);
  return sampledAtMs === undefined ? undefined : { labels, sampledAtMs };
}

/** What a series is about, from its labels; undefined when they do not say. */
type IdOf = (labels: Labels) => string | undefined;

function gpuOf({ identity }: Policy): IdOf {
  return (labels) => labels[identity.gpu];
}

function targetOf({ identity }: Policy): IdOf {
  return (labels) => targetKey(labels[identity.node] ?? '', labels[JOB] ?? '');
}

function readingsBy(idOf: IdOf, vector: readonly Sample[]): Map<string, number> {
  const byId = new Map<string, number>();
  for (const { labels, value } of vector) {
    const id = idOf(labels);
    if (id !== undefined && !Number.isNaN(value)) byId.set(id, value);
  }
  return byId;
}

function checkReadings({ policy, stats }: History, vector: readonly Sample[]): Readings {
  const sane = vector.filter(({ value }) => !isAbsurd(value));
  stats.absurdValues += vector.length - sane.length;
  return readingsBy(gpuOf(policy), sane);
}

function columnsBy(idOf: IdOf, matrix: readonly Series[]): ReadonlyMap<string, Float64Array> {
  const columns = new Map<string, Float64Array>();
  for (const { labels, values } of matrix) {
    const id = idOf(labels);
    if (id !== undefined) columns.set(id, values);
  }
  return columns;
}

/** NaN marks a missing sample already, so only other absurd values are counted. */
function dropAbsurd({ stats }: History, matrix: readonly Series[]): readonly Series[] {
  for (const { values } of matrix) {
    for (const [i, value] of values.entries()) {
      if (Number.isNaN(value) || !isAbsurd(value)) continue;
      values[i] = Number.NaN;
      stats.absurdValues++;
    }
  }
  return matrix;
}

/** Row `i` of the columns, as readings. */
function column(byId: ReadonlyMap<string, Float64Array>, i: number): Readings {
  return {
    get: (id) => {
      const value = byId.get(id)?.[i];
      return value === undefined || Number.isNaN(value) ? undefined : value;
    },
  };
}
