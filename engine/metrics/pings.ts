/** Series about agents and their pings: at most nine per agent, so 90,000 for 10,000 agents, and about forty besides. */
import { divergenceOf, weighEvidence } from '../core/ping/evidence.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import type { PingState } from '../core/ping/state.ts';
import type { RegisteredAgent } from '../ping/agent-index.ts';
import { AGENT_STATUSES, statusOf } from '../ping/agent-status.ts';
import type { PingStats, Pings } from '../ping/pings.ts';
import { type Family, type Line, renderFamily, renderHead, renderLines, renderPairs } from './exposition.ts';

export interface PingSource extends Pick<Pings, 'policy' | 'stats'> {
  readonly registry: { all(): Iterable<RegisteredAgent> };
}

interface Row {
  /** Rendered pairs: every family repeats them. */
  readonly labels: string;
  readonly state: PingState;
  readonly policy: PingPolicy;
}

interface AgentFamily extends Family {
  /** Undefined when nobody knows. */
  readonly get: (row: Row) => number | undefined;
}

const OF_AGENT: readonly AgentFamily[] = [
  {
    name: 'gpu_uptime_ping_agent_reachable',
    type: 'gauge',
    help: '1 if the agent answered its newest ping, 0 if that failed and counted.',
    get: ({ state: { isReachable } }) => (isReachable === undefined ? undefined : Number(isReachable)),
  },
  {
    name: 'gpu_uptime_ping_uptime_ratio',
    type: 'gauge',
    help: 'Uptime of the agent over the newest span between two pings, as it counts, 0 to 1.',
    get: ({ policy, state: { lastEvidence } }) => lastEvidence && weighEvidence(policy, lastEvidence).uptime,
  },
  {
    name: 'gpu_uptime_ping_divergence_ratio',
    type: 'gauge',
    help: 'Uptime that the agent claimed minus what Prometheus saw of that span, -1 to 1; absent unless both know.',
    get: ({ policy, state: { lastEvidence } }) => lastEvidence && divergenceOf(policy, lastEvidence),
  },
  {
    name: 'gpu_uptime_ping_unseen',
    type: 'gauge',
    help: '1 if Prometheus knew none of the GPUs of the agent when it was asked last, though it had before, 0 if it did.',
    get: ({ policy: { evidence }, state: { seenAtMs, isUnseen } }) =>
      evidence === 'agent' || seenAtMs === undefined ? undefined : Number(isUnseen),
  },
  {
    name: 'gpu_uptime_ping_consecutive_poor',
    type: 'gauge',
    help: 'Steps that the interval of the agent has escalated by, 0 at the base interval.',
    get: ({ state }) => state.consecutivePoor,
  },
  {
    name: 'gpu_uptime_ping_interval_seconds',
    type: 'gauge',
    help: 'Interval between pings of the agent that is in force.',
    get: ({ state }) => state.intervalMs / 1000,
  },
  {
    name: 'gpu_uptime_ping_next_timestamp_seconds',
    type: 'gauge',
    help: 'When the agent is due.',
    get: ({ state }) => state.nextDueAtMs / 1000,
  },
  {
    name: 'gpu_uptime_ping_last_timestamp_seconds',
    type: 'gauge',
    help: 'When the newest ping of the agent that was decided began.',
    get: ({ state }) => seconds(state.lastPingAtMs),
  },
  {
    name: 'gpu_uptime_ping_clock_skew_seconds',
    type: 'gauge',
    help: 'How far the clock of the agent is ahead of the one of the engine, as its newest answer told.',
    get: ({ state }) => seconds(state.clockSkewMs),
  },
];

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

/** Agents per piece: small enough that a gateway hardly waits behind one. */
const PIECE = 500;

/** Renders every family, piece by piece: gateways are answered in between, and a large page is never held as a whole. */
export function* renderPings(pings: PingSource, nowMs: number): Generator<string> {
  const [policy, stats] = [pings.policy(), pings.stats()];
  const rows: Row[] = [];
  for (const { agent, state } of pings.registry.all()) {
    const labels = renderPairs({ agent_id: agent.id, node: agent.node });
    rows.push({ labels, state, policy });
    if (rows.length % PIECE === 0) yield '';
  }
  for (const family of OF_AGENT) yield* renderAgents(family, rows);
  yield renderFleet(rows, policy, nowMs);
  yield* OF_ENGINE.map((family) => renderFamily(family, family.lines(stats)));
  yield renderLag(stats);
}

/** HELP and TYPE come with the first agent that has the figure. */
function* renderAgents(family: AgentFamily, rows: readonly Row[]): Generator<string> {
  let isBegun = false;
  for (let start = 0; start < rows.length; start += PIECE) {
    const lines = rows.slice(start, start + PIECE).flatMap((row) => agentLine(family, row));
    const head = isBegun || lines.length === 0 ? '' : renderHead(family);
    isBegun ||= lines.length > 0;
    yield head + renderLines(family, lines);
  }
}

function agentLine({ get }: AgentFamily, row: Row): readonly Line[] {
  const value = get(row);
  return value === undefined ? [] : [[row.labels, value]];
}

const AGENTS: Family = {
  name: 'gpu_uptime_ping_agents',
  type: 'gauge',
  help: 'Registered agents by what their newest ping came to.',
};

const OVERDUE: Family = {
  name: 'gpu_uptime_ping_overdue_seconds',
  type: 'gauge',
  help: 'How long the agent that has waited longest has been due, 0 while none is.',
};

const MAX_INTERVAL: Family = {
  name: 'gpu_uptime_ping_max_interval_seconds',
  type: 'gauge',
  help: 'Interval from which GpuAgentEscalated fires: the longest one of the policy.',
};

function renderFleet(rows: readonly Row[], { maxIntervalMs }: PingPolicy, nowMs: number): string {
  const counts = new Map<string, number>(AGENT_STATUSES.map((status) => [status, 0]));
  let earliestMs = nowMs;
  for (const { state } of rows) {
    const status = statusOf(state);
    counts.set(status, (counts.get(status) ?? 0) + 1);
    earliestMs = Math.min(earliestMs, state.nextDueAtMs);
  }
  const byStatus = [...counts].map(([status, count]): Line => [{ status }, count]);
  return [
    renderFamily(AGENTS, byStatus),
    renderFamily(OVERDUE, [['', (nowMs - earliestMs) / 1000]]),
    renderFamily(MAX_INTERVAL, [['', maxIntervalMs / 1000]]),
  ].join('');
}

interface EngineFamily extends Family {
  readonly lines: (stats: PingStats) => readonly Line[];
}

const OF_ENGINE: readonly EngineFamily[] = [
  {
    name: 'gpu_uptime_ping_scheduling',
    type: 'gauge',
    help: '1 while this engine pings by itself, 0 where that is left to others.',
    lines: ({ isScheduling }) => one(Number(isScheduling)),
  },
  {
    name: 'gpu_uptime_ping_due',
    type: 'gauge',
    help: 'Agents that are due, and wait for their ping to begin.',
    lines: ({ waiting }) => one(waiting),
  },
  {
    name: 'gpu_uptime_ping_in_flight',
    type: 'gauge',
    help: 'Pings that wait for their answer.',
    lines: ({ inFlight }) => one(inFlight),
  },
  {
    name: 'gpu_uptime_ping_worst_lag_seconds',
    type: 'gauge',
    help: 'How late the latest ping of the last minute began.',
    lines: ({ worstLagMs }) => one(seconds(worstLagMs)),
  },
  {
    name: 'gpu_uptime_ping_attempts_total',
    type: 'counter',
    help: 'Times an agent was asked, retries included, by what came back.',
    lines: ({ attempts }) => Object.entries(attempts).map(([reply, count]) => [{ reply }, count]),
  },
  {
    name: 'gpu_uptime_ping_decided_total',
    type: 'counter',
    help: 'Pings that were decided, by what they came to.',
    lines: ({ decided }) => Object.entries(decided).map(([outcome, count]) => [{ outcome }, count]),
  },
  {
    name: 'gpu_uptime_ping_suspect',
    type: 'gauge',
    help: '1 while the engine suspects itself because most agents fail, so that failures do not count.',
    lines: ({ isSuspect }) => one(Number(isSuspect)),
  },
  {
    name: 'gpu_uptime_ping_without_evidence_total',
    type: 'counter',
    help: 'Pings that were decided without the word of Prometheus, because it did not answer.',
    lines: ({ withoutEvidence }) => one(withoutEvidence),
  },
  {
    name: 'gpu_uptime_ping_save_failures_total',
    type: 'counter',
    help: 'Times results of pings could not be written to the store.',
    lines: ({ saveFailures }) => one(saveFailures),
  },
];

function one(value: number | undefined): readonly Line[] {
  return value === undefined ? [] : [['', value]];
}

const LAG: Family = {
  name: 'gpu_uptime_ping_lag_seconds',
  type: 'histogram',
  help: 'How late the pings began that the engine schedules.',
};

function renderLag({ lagBuckets, lagSumMs }: PingStats): string {
  const part = (suffix: string) => ({ ...LAG, name: `${LAG.name}_${suffix}` });
  const buckets = lagBuckets.map(
    ({ leMs, count }): Line => [{ le: leMs === Infinity ? '+Inf' : String(leMs / 1000) }, count],
  );
  return [
    renderHead(LAG),
    renderLines(part('bucket'), buckets),
    renderLines(part('sum'), one(lagSumMs / 1000)),
    renderLines(part('count'), one(lagBuckets.at(-1)?.count)),
  ].join('');
}
