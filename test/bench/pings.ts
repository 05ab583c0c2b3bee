/** Bench: the real engine process pings 10,000 agents, against bare GETs of the same agents. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openSqliteStore } from '../../engine/store/sqlite.ts';
import { type AgentFleet, type FleetAgent, startAgentFleet } from '../servers/agent-fleet.ts';
import { registerAll } from '../servers/agent-registration.ts';
import { startEngine } from '../servers/engine.ts';
import type { RunningServer } from '../servers/server.ts';
import { atMost, type BenchFigure, below, median } from './figure.ts';
import { type BenchProcess, processCpuMs, residentMebibytes, startProcess } from './process.ts';

const AGENTS = 10_000;
const BASE_MS = 30_000;
const CONCURRENCY = 100;
const BARE_ROUNDS = 3;
/** Whole intervals, so that every agent is asked as often as every other. */
const MEASURED_INTERVALS = 2;
const MAX_CPU_MS = 0.5;
const MAX_P99_LAG_MS = 1000;
const MAX_MEBIBYTES = 400;

/** How often agents check their GPU does not matter to who pings them. */
const CHECK_MS = 5000;

export async function benchPings(): Promise<BenchFigure[]> {
  const fleet = await startAgentFleet({ count: AGENTS, ports: 'shared', checkMs: CHECK_MS });
  const base = new URL(fleet.agents[0]?.url ?? '').origin;
  const bare = await startProcess(import.meta.resolve('./pings-bare.ts'), [base, String(CONCURRENCY)]);
  const prometheus = await startProcess(import.meta.resolve('./pings-prometheus.ts'));
  try {
    await askBare(bare, 1);
    const alone = await measure({ fleet, evidence: 'agent', prometheusPort: Number(prometheus.ready.port) });
    const msPerGet = await askBare(bare, BARE_ROUNDS);
    const both = await measure({ fleet, evidence: 'both', prometheusPort: Number(prometheus.ready.port) });
    return [
      { name: 'bare GET of an agent by node:http', value: msPerGet, unit: 'ms CPU' },
      ...figuresOf('evidence of the agent', alone, msPerGet),
      ...figuresOf('evidence of both', both, msPerGet),
    ];
  } finally {
    for (const part of [bare, prometheus]) await part.end();
    await fleet.stop();
  }
}

async function askBare(bare: BenchProcess, rounds: number): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) values.push(Number((await bare.ask({ agents: AGENTS })).msPerGet));
  return median(values);
}

interface Run {
  readonly fleet: AgentFleet;
  readonly evidence: 'agent' | 'both';
  readonly prometheusPort: number;
}

interface Measured {
  readonly registrationCpuMs: number;
  readonly pings: number;
  readonly cpuMs: number;
  readonly seconds: number;
  readonly mebibytes: number;
  readonly lagsMs: readonly number[];
}

async function measure({ fleet, evidence, prometheusPort }: Run): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'gpu-uptime-bench-'));
  const policyFile = join(directory, 'policy.yml');
  const ping = `base_interval: ${BASE_MS}ms, evidence: ${evidence}, allow_loopback: true`;
  writeFileSync(policyFile, `ping: { ${ping}, max_concurrent_agents: ${CONCURRENCY} }\n`);
  const env = {
    PROMETHEUS_URL: `http://127.0.0.1:${prometheusPort}`,
    ALERTMANAGER_URLS: '',
    POLICY_FILE: policyFile,
    RULE_FILES: '',
    LOG_LEVEL: 'warn',
  };
  try {
    const engine = await startEngine({ dataDir: directory, env });
    const figures = await watch(engine, fleet).finally(() => engine.stop());
    return { ...figures, lagsMs: await lagsOf(join(directory, 'engine.db'), fleet.agents, figures.fromMs) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The first interval warms up: first pings come together, as the agents registered. */
async function watch(engine: RunningServer, fleet: AgentFleet) {
  const registeredFromMs = processCpuMs(engine.pid);
  await registerAll(
    engine,
    fleet.agents.map((agent) => ({ ...agent, metadata: { gpu_uuid: `GPU-${agent.id}` } })),
  );
  const registrationCpuMs = (processCpuMs(engine.pid) - registeredFromMs) / AGENTS;
  await delay(1.5 * BASE_MS);
  const [fromMs, pingsBefore, cpuBefore] = [Date.now(), await pingsOf(fleet), processCpuMs(engine.pid)];
  await delay(MEASURED_INTERVALS * BASE_MS);
  const cpuMs = processCpuMs(engine.pid) - cpuBefore;
  const pings = (await pingsOf(fleet)) - pingsBefore;
  const seconds = (Date.now() - fromMs) / 1000;
  return { registrationCpuMs, pings, cpuMs, seconds, mebibytes: residentMebibytes(engine.pid), fromMs };
}

/** As the agents count them, all that were ever asked. */
async function pingsOf(fleet: AgentFleet): Promise<number> {
  return [...(await fleet.report()).values()].reduce((sum, { atMs }) => sum + atMs.length, 0);
}

/** How late each ping since `fromMs` began, as the stopped engine left it: its instant, and when the one before planned it. */
async function lagsOf(file: string, agents: readonly FleetAgent[], fromMs: number): Promise<readonly number[]> {
  const { store, pings } = openSqliteStore(file);
  const lags: number[] = [];
  for (const { id: agentId } of agents) {
    const query = { agentId, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, before: undefined, limit: 100 };
    const records = await pings.history(query);
    const notGood = records.find(({ outcome }) => outcome !== 'good');
    if (notGood !== undefined) throw new Error(`${agentId}: ${notGood.outcome}, ${notGood.reason}`);
    for (const [nth, { atMs }] of records.entries()) {
      const planned = records[nth + 1]?.nextDueAtMs;
      if (planned !== undefined && atMs >= fromMs) lags.push(atMs - planned);
    }
  }
  await store.close();
  return lags.sort((a, b) => a - b);
}

function figuresOf(name: string, measured: Measured, msPerGet: number): BenchFigure[] {
  const { pings, cpuMs, seconds, mebibytes, lagsMs, registrationCpuMs } = measured;
  const lag = (share: number) => lagsMs[Math.min(lagsMs.length - 1, Math.floor(lagsMs.length * share))] ?? Number.NaN;
  return [
    { name: `${name}: pings of ${AGENTS} agents`, value: pings / seconds, unit: 'pings/s' },
    below(MAX_CPU_MS, {
      name: 'engine per ping, all it does meanwhile included',
      value: cpuMs / pings,
      unit: 'ms CPU',
    }),
    { name: 'ping against bare GET', value: cpuMs / pings / msPerGet, unit: 'ratio' },
    { name: 'ping begins late, p50', value: lag(0.5), unit: 'ms' },
    atMost(MAX_P99_LAG_MS, { name: 'ping begins late, p99', value: lag(0.99), unit: 'ms' }),
    { name: 'ping begins late, worst', value: lag(1), unit: 'ms' },
    below(MAX_MEBIBYTES, { name: 'engine memory', value: mebibytes, unit: 'MiB' }),
    { name: 'registration', value: registrationCpuMs, unit: 'ms CPU' },
  ];
}
