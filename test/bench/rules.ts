/** Bench: cycles of a rule group in the engine against vmalert, with the same rule files, Prometheus and series. */
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteWriter } from '../../engine/prometheus/remote-write.ts';
import { findInstalledTool } from '../../engine/stack/binaries.ts';
import { runCommand } from '../../engine/stack/command.ts';
import type { InstalledTool } from '../../engine/stack/inspection.ts';
import { missSentence } from '../../engine/stack/way.ts';
import { MINUTE, SECOND } from '../engine/core/fixtures.ts';
import { startPrometheus } from '../servers/prometheus.ts';
import { ROOT, serverDirectory } from '../servers/server.ts';
import { atMost, type BenchFigure, median } from './figure.ts';
import { ENGINE, type Evaluator, VMALERT } from './rules-evaluator.ts';
import { fleetSeries, ruleFile, SCENARIOS, type Scenario } from './rules-scenario.ts';
import { type Field, type Turn, takeTurn } from './rules-turn.ts';

const ROUNDS = 2;
const MAX_RATIO = 1;
const LIMIT_MS = 120_000;
const SAMPLES_EVERY_MS = 30 * SECOND;
/** The rules look back; and on a busy machine a turn takes longer than its cycles should. */
const SPARE_MS = 2 * MINUTE;

interface Round {
  readonly engine: Turn;
  readonly vmalert: Turn;
}

export async function benchRules(): Promise<BenchFigure[]> {
  const outcome = await findInstalledTool('prometheus', {
    toolsDir: process.env.TOOLS_DIR || join(ROOT, '.tools'),
    env: process.env,
  });
  if (outcome.kind !== 'found') return skip(`they need a real Prometheus. ${missSentence(outcome)}`);
  const vmalert = await runCommand('vmalert', ['-version'], { timeoutMs: 10_000 });
  if (!vmalert.ok) return skip(`vmalert ${vmalert.problem}. On Debian: apt-get install victoria-metrics.`);
  const figures: BenchFigure[] = [];
  for (const scenario of SCENARIOS) figures.push(...figuresOf(scenario, await compare(outcome.tool, scenario)));
  return figures;
}

function skip(why: string): BenchFigure[] {
  console.warn(`SKIPPED rules: ${why}`);
  return [];
}

async function compare(tool: InstalledTool, scenario: Scenario): Promise<readonly Round[]> {
  const directory = serverDirectory('bench-rules');
  const queryLog = join(directory, 'queries.log');
  const file = join(directory, 'rules.yml');
  writeFileSync(file, ruleFile(scenario));
  const prometheus = await startPrometheus({ tool, config: JSON.stringify({ global: { query_log_file: queryLog } }) });
  try {
    return await takeRounds({ scenario, prometheus, queryLog, ruleFile: file });
  } finally {
    await prometheus.stop();
    await rm(directory, { recursive: true });
  }
}

/** In turns, and the other one first each time: both meet the same neighbours on a shared machine. */
async function takeRounds(field: Field): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  let filledMs = Date.now() - SPARE_MS;
  const turn = async (evaluator: Evaluator) => {
    // vmalert rounds its instants down to the interval: they must not lie before what was written last.
    await delay(field.scenario.intervalMs);
    filledMs = await fill(field, filledMs);
    return takeTurn(evaluator, field);
  };
  for (let count = 0; count < ROUNDS; count++) {
    const isEngineFirst = count % 2 === 0;
    const one = await turn(isEngineFirst ? ENGINE : VMALERT);
    const other = await turn(isEngineFirst ? VMALERT : ENGINE);
    const round = isEngineFirst ? { engine: one, vmalert: other } : { engine: other, vmalert: one };
    expectSame('alerts', round.engine.alerts, round.vmalert.alerts);
    expectSame('series', round.engine.series, round.vmalert.series);
    rounds.push(round);
  }
  return rounds;
}

/** Samples for a whole turn beforehand, so that nothing is scraped meanwhile. Returns the instant of the last. */
async function fill({ scenario, prometheus }: Field, filledMs: number): Promise<number> {
  const turnMs = (scenario.warmUpCycles + scenario.cycles + 4) * scenario.intervalMs + SPARE_MS;
  const instants: number[] = [];
  for (let atMs = filledMs; atMs < Date.now() + turnMs; atMs += SAMPLES_EVERY_MS) instants.push(atMs);
  const writer = createRemoteWriter({ url: `${prometheus.url}/api/v1/write`, timeoutMs: LIMIT_MS, concurrency: 1 });
  try {
    await writer.write(fleetSeries(scenario, instants), AbortSignal.timeout(LIMIT_MS));
  } finally {
    await writer.close();
  }
  return filledMs + instants.length * SAMPLES_EVERY_MS;
}

/** Whoever leaves out work is faster. */
function expectSame(what: string, engine: ReadonlySet<string>, vmalert: ReadonlySet<string>): void {
  const onlyIn = (one: ReadonlySet<string>, other: ReadonlySet<string>) => [...one].find((text) => !other.has(text));
  const [ours, theirs] = [onlyIn(engine, vmalert), onlyIn(vmalert, engine)];
  if (engine.size > 0 && ours === undefined && theirs === undefined) return;
  const sizes = `${engine.size} by the engine, ${vmalert.size} by vmalert`;
  throw new Error(`the ${what} differ: ${sizes}; only by the engine: ${ours}; only by vmalert: ${theirs}`);
}

function figuresOf({ name }: Scenario, rounds: readonly Round[]): BenchFigure[] {
  const of = (get: (round: Round) => number) => median(rounds.map(get));
  const [first] = rounds;
  return [
    { name: `${name}: cycle of the engine`, value: of(({ engine }) => engine.ownMs), unit: 'ms' },
    { name: 'cycle of vmalert', value: of(({ vmalert }) => vmalert.ownMs), unit: 'ms' },
    atMost(MAX_RATIO, {
      name: `${name}: engine against vmalert`,
      value: of(({ engine, vmalert }) => engine.ownMs / vmalert.ownMs),
      unit: 'ratio',
    }),
    atMost(MAX_RATIO, {
      name: 'the same, first query to last, as Prometheus logs them',
      value: of(({ engine, vmalert }) => engine.seenMs / vmalert.seenMs),
      unit: 'ratio',
    }),
    { name: 'engine per cycle', value: of(({ engine }) => engine.cpuMs), unit: 'ms CPU' },
    { name: 'vmalert per cycle', value: of(({ vmalert }) => vmalert.cpuMs), unit: 'ms CPU' },
    { name: 'Prometheus asked by the engine', value: of(({ engine }) => engine.prometheusCpuMs), unit: 'ms CPU' },
    { name: 'Prometheus asked by vmalert', value: of(({ vmalert }) => vmalert.prometheusCpuMs), unit: 'ms CPU' },
    { name: 'the same alerts', value: first?.engine.alerts.size ?? 0, unit: 'sent' },
    { name: 'the same series', value: first?.engine.series.size ?? 0, unit: 'written' },
  ];
}
