/** Bench: our own Prometheus client against prometheus-query, reading the answers of one tick of 10,000 GPUs. */
import { PrometheusDriver } from 'prometheus-query';
import { checkQueries, observerQuery, presenceQuery, targetQuery } from '../../engine/core/queries.ts';
import { createPromClient } from '../../engine/prometheus/client.ts';
import { type BenchFigure, median } from './figure.ts';
import { benchPlan } from './fleet.ts';
import { cpuMs, startProcess } from './process.ts';

const WARM_UP_ROUNDS = 3;
const ROUNDS = 12;
const TIMEOUT_MS = 30_000;
const AT_MS = 1_700_000_000_000;

/** Reads every answer of a tick; gives the number of samples. */
type ReadTick = (queries: readonly string[]) => Promise<number>;

export async function benchClient(): Promise<BenchFigure[]> {
  const answers = await startProcess(import.meta.resolve('./prometheus-answers.ts'));
  const url = `http://127.0.0.1:${answers.ready.port}`;
  const prom = createPromClient({ url, timeoutMs: TIMEOUT_MS, concurrency: 4 });
  const driver = new PrometheusDriver({ endpoint: url, timeout: TIMEOUT_MS });
  try {
    return await compare(
      (queries) => countAll(queries, (query) => prom.instant(query, AT_MS, AbortSignal.timeout(TIMEOUT_MS))),
      (queries) => countAll(queries, async (query) => (await driver.instantQuery(query, AT_MS)).result),
    );
  } finally {
    await prom.close();
    await answers.end();
  }
}

async function countAll(
  queries: readonly string[],
  ask: (query: string) => Promise<readonly unknown[]>,
): Promise<number> {
  const counts = await Promise.all(queries.map(async (query) => (await ask(query)).length));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function compare(own: ReadTick, driver: ReadTick): Promise<BenchFigure[]> {
  const { policy } = benchPlan();
  const queries = [observerQuery(policy), targetQuery(policy), presenceQuery(policy), ...checkQueries(policy)];
  const rounds: { readonly own: number; readonly driver: number }[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    const [ofOwn, ofDriver] = [await measure(own, queries), await measure(driver, queries)];
    if (ofOwn.samples !== ofDriver.samples) throw new Error('the clients do not read the same samples');
    if (round >= WARM_UP_ROUNDS) rounds.push({ own: ofOwn.ms, driver: ofDriver.ms });
  }
  return [
    { name: 'answers of a tick by our client', value: median(rounds.map((round) => round.own)), unit: 'ms CPU' },
    { name: 'the same by prometheus-query', value: median(rounds.map((round) => round.driver)), unit: 'ms CPU' },
    {
      name: 'prometheus-query against our client',
      value: median(rounds.map((round) => round.driver / round.own)),
      unit: 'ratio',
    },
  ];
}

async function measure(read: ReadTick, queries: readonly string[]): Promise<{ ms: number; samples: number }> {
  const start = process.cpuUsage();
  const samples = await read(queries);
  return { ms: cpuMs(start), samples };
}
