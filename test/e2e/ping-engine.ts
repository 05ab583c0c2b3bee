/** The real engine process with agents to ping, on a fast clock: base intervals of parts of a second, retries at once. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type AgentFleet, type FleetSetup, startAgentFleet } from '../servers/agent-fleet.ts';
import { startEngine } from '../servers/engine.ts';
import { freePort } from '../servers/free-port.ts';
import type { RunningServer } from '../servers/server.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

/** As everywhere in the interface: an agent with where it stands. */
export interface AgentEntry {
  readonly agent_id: string;
  readonly agent_url: string;
  readonly node: string;
  readonly gpu: string | null;
  readonly status: string;
  readonly ping: {
    readonly pings: number;
    readonly outcome: string | null;
    readonly reason: string | null;
    readonly consecutive_poor: number;
    readonly good_in_a_row: number;
    readonly interval_seconds: number;
    readonly next_ping_at: number;
    readonly last_ping_at: number | null;
  };
}

interface ClaimEntry {
  readonly uptime_percentage: number | null;
  readonly coverage_percentage: number;
}

/** A decided ping. */
export interface PingEntry {
  readonly at: number;
  readonly sequence: number;
  readonly outcome: string;
  readonly reason: string;
  readonly uptime_percentage: number | null;
  readonly evidence: {
    readonly claimed: ClaimEntry | null;
    readonly observed: ClaimEntry | null;
    readonly divergence_percentage_points: number | null;
  } | null;
  readonly consecutive_poor: number;
  readonly interval_seconds: number;
  readonly next_ping_at: number;
}

export interface PingEngineOptions {
  /** Lines of the policy's section `ping`, without the two that let it ask this machine. */
  readonly ping: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface PingEngine {
  readonly dataDir: string;
  readonly port: number;
  start(): Promise<RunningServer>;
}

/** An engine that can be started again on the same data and port. Without a Prometheus, unless `env` names one. */
export async function pingEngine({ ping, env = {} }: PingEngineOptions): Promise<PingEngine> {
  const directory = temporaryDirectory();
  const policyFile = join(directory, 'policy.yml');
  writeFileSync(policyFile, `interval: 1s\nsettle: 1s\nbackfill: 1m\nwindows: ${WINDOWS}\nping:\n${LOCAL}${ping}`);
  const dataDir = join(directory, 'data');
  const [port, nobody] = [await freePort(), await freePort()];
  const all = {
    PROMETHEUS_URL: `http://127.0.0.1:${nobody}`,
    PROMETHEUS_TIMEOUT_SECONDS: '2',
    ALERTMANAGER_URLS: '',
    RULE_FILES: '',
    POLICY_FILE: policyFile,
    UV_THREADPOOL_SIZE: '16',
    ...env,
  };
  return { dataDir, port, start: () => untilFinished(startEngine({ dataDir, port, env: all })) };
}

const LOCAL = '  allow_loopback: true\n';
const WINDOWS = '{ short: { range: 10s }, medium: { range: 20s }, long: { range: 30s } }';

/** Agents that end with the running test. */
export async function agentsOf(setup: Partial<FleetSetup> & Pick<FleetSetup, 'count'>): Promise<AgentFleet> {
  const fleet = await startAgentFleet(setup);
  onTestFinished(() => fleet.stop());
  return fleet;
}

async function untilFinished(starting: Promise<RunningServer>): Promise<RunningServer> {
  const server = await starting;
  onTestFinished(() => server.stop());
  return server;
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

export async function agentEntry({ url }: RunningServer, id: string): Promise<AgentEntry> {
  return (await getJson(`${url}/ping-system/agents/${id}`)) as AgentEntry;
}

/** Everything the engine lists, page by page. */
export async function agentEntries({ url }: RunningServer): Promise<readonly AgentEntry[]> {
  const entries: AgentEntry[] = [];
  let after = '';
  for (;;) {
    const page = (await getJson(`${url}/ping-system/agents?limit=500${after}`)) as {
      readonly agents: readonly AgentEntry[];
      readonly next: string | null;
    };
    entries.push(...page.agents);
    if (page.next === null) return entries;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

/** Decided pings, the oldest first. */
export async function pingHistory({ url }: RunningServer, id: string): Promise<readonly PingEntry[]> {
  const page = (await getJson(`${url}/ping-system/agents/${id}/history?hours=24&limit=500`)) as {
    readonly pings: readonly PingEntry[];
  };
  return [...page.pings].reverse();
}
