/** Bench: the gate over 10,000 GPUs against a bare node:http server that sends the same bytes. */
import { setTimeout as delay } from 'node:timers/promises';
import { againstBare, type Round } from './against-bare.ts';
import { atLeast, type BenchFigure, below, median } from './figure.ts';
import { INTERVAL_MS, NODE_NAMES } from './fleet.ts';
import type { Target } from './load.ts';
import { type BenchProcess, startProcess } from './process.ts';

const CONNECTIONS = 32;
const ROUNDS = 5;
const ROUND_SECONDS = 2;
const JUDGED_SECONDS = 10;
const MIN_RATIO = 0.6;
const MAX_P99_MS = 5;

/** Node 0 of the synthetic fleet is always hot and so always delayed. */
const PATHS = { allow: pathOf(NODE_NAMES[7]), deny: pathOf(NODE_NAMES[0]) } as const;

function pathOf(node: string | undefined): string {
  return `/api/v1/gate/forward/default?node=${node}`;
}

export async function benchGate(): Promise<BenchFigure[]> {
  const gate = await startProcess(import.meta.resolve('./gate-server.ts'));
  const port = Number(gate.ready.port);
  try {
    return [
      ...(await compareRates('allow', { port, path: PATHS.allow })),
      ...(await compareRates('deny', { port, path: PATHS.deny })),
      ...(await measureWhileJudging(gate)),
    ];
  } finally {
    await gate.end();
  }
}

async function compareRates(name: string, target: Target): Promise<BenchFigure[]> {
  const rounds = await againstBare(target, { connections: CONNECTIONS, rounds: ROUNDS, seconds: ROUND_SECONDS });
  const of = (get: (round: Round) => number) => median(rounds.map(get));
  const generator = rounds[0]?.real.generator ?? 'nothing';
  return [
    {
      name: `gate ${name}, ${CONNECTIONS} connections by ${generator}`,
      value: of(({ real }) => real.requestsPerSecond),
      unit: 'requests/s',
    },
    { name: 'same bytes from bare node:http', value: of(({ bare }) => bare.requestsPerSecond), unit: 'requests/s' },
    atLeast(MIN_RATIO, {
      name: `gate ${name} against bare node:http`,
      value: of(({ real, bare }) => real.requestsPerSecond / bare.requestsPerSecond),
      unit: 'ratio',
    }),
    ...latencyFigures(`gate ${name}`, rounds),
  ];
}

function latencyFigures(name: string, rounds: readonly Round[]): BenchFigure[] {
  const of = (get: (round: Round) => number) => median(rounds.map(get));
  return [
    below(MAX_P99_MS, { name: `${name}, p99`, value: of(({ real }) => real.p99Ms), unit: 'ms' }),
    { name: 'same bytes from bare node:http, p99', value: of(({ bare }) => bare.p99Ms), unit: 'ms' },
  ];
}

/**
 * The same load while the process judges a tick of all GPUs every interval. wrk counts the requests that a stall kept from
 * being asked, so a tick shows in its p99 in proportion to the time it takes.
 */
async function measureWhileJudging(gate: BenchProcess): Promise<BenchFigure[]> {
  const target = { port: Number(gate.ready.port), path: PATHS.allow };
  const over = new AbortController();
  const judging = judgeRegularly(gate, over.signal);
  const rounds = await againstBare(target, { connections: CONNECTIONS, rounds: 2, seconds: JUDGED_SECONDS });
  over.abort();
  const tookMs = await judging;
  return [
    ...latencyFigures('gate allow while ticks are judged', rounds),
    { name: 'its slowest answer', value: Math.max(...rounds.map(({ real }) => real.slowestMs)), unit: 'ms' },
    { name: `median of ${tookMs.length} ticks folded there`, value: median(tookMs), unit: 'ms' },
  ];
}

async function judgeRegularly(gate: BenchProcess, signal: AbortSignal): Promise<readonly number[]> {
  const tookMs: number[] = [];
  while (!signal.aborted) {
    await delay(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) tookMs.push((await gate.ask({})).tookMs ?? Number.NaN);
  }
  return tookMs;
}
