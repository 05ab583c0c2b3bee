/** The shipped policy over hours of history in a real Prometheus: the documented delays, to the second. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { clearsAtIfHealthy, explain } from '../../engine/core/explain.ts';
import type { Policy } from '../../engine/core/policy.ts';
import { Engine } from '../../engine/engine.ts';
import { createOwnMetrics } from '../../engine/metrics/own.ts';
import { loadPolicy } from '../../engine/policy/load.ts';
import { createPromClient } from '../../engine/prometheus/client.ts';
import { openSqliteStore } from '../../engine/store/sqlite.ts';
import { startPrometheus } from '../servers/prometheus.ts';
import { programOf, requireTool } from '../servers/require-tool.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

const INTERVAL_MS = 5000;
const START_MS = 1_700_000_000_000;
const HOT_FROM_MS = START_MS + 3_600_000;
/** Two hours and a quarter: long enough for the seventh failure, which is the first at the cap. */
const HOT_UNTIL_MS = HOT_FROM_MS + 8_100_000;
const END_MS = HOT_UNTIL_MS + 2.1 * 3_600_000;
const HOT_GPU = 'GPU-0';

function history(): string {
  const lines: string[] = [];
  const series = (name: string, labels: string, value: (atMs: number) => number) => {
    for (let atMs = START_MS; atMs <= END_MS; atMs += INTERVAL_MS)
      lines.push(`${name}{${labels}} ${value(atMs)} ${atMs / 1000 - 1}`);
  };
  series('up', 'job="prometheus",instance="localhost:9090"', () => 1);
  series('up', 'job="gpu",instance="node-a:9400"', () => 1);
  for (const gpu of [0, 1]) {
    const labels = `gpu="${gpu}",UUID="GPU-${gpu}",modelName="NVIDIA A100",instance="node-a:9400"`;
    const isHot = (atMs: number) => gpu === 0 && atMs >= HOT_FROM_MS && atMs < HOT_UNTIL_MS;
    series('DCGM_FI_DEV_GPU_TEMP', labels, (atMs) => (isHot(atMs) ? 91 : 60));
    series('DCGM_FI_DEV_FB_USED', labels, () => 20_000);
    series('DCGM_FI_DEV_FB_FREE', labels, () => 60_000);
  }
  return `${lines.sort().join('\n')}\n# EOF\n`;
}

function shippedPolicy(): Policy {
  const file = 'rules/policy.yml';
  const outcome = loadPolicy({ file, source: readFileSync(file, 'utf8'), env: {} });
  if (!outcome.ok) throw new Error('the shipped policy is not valid');
  return outcome.policy;
}

/** An engine whose clock stands where the test puts it. */
async function engineOver(url: string) {
  const clock = { nowMs: 0 };
  const prom = createPromClient({ url, timeoutMs: 60_000, concurrency: 2 });
  const { store } = openSqliteStore(join(temporaryDirectory(), 'engine.db'));
  onTestFinished(async () => {
    await prom.close();
    await store.close();
  });
  const stats = { absurdValues: 0 };
  const engine: Engine = await Engine.open(
    {
      clock: { now: () => clock.nowMs, sleep: async () => {} },
      prom,
      store,
      log: pino({ level: 'silent' }),
      stats,
      metrics: createOwnMetrics({
        version: 'test',
        gateStats: { answers: new Map() },
        history: stats,
        backlogTicks: () => 0,
        dataAgeSeconds: () => 0,
        isReady: () => true,
      }),
    },
    shippedPolicy(),
  );
  /** Judges everything up to `atMs`, then answers at that instant. */
  const answerAt = async (atMs: number, gpu: string) => {
    clock.nowMs = atMs + 2000;
    await engine.judge(AbortSignal.timeout(60_000));
    const { plan, state } = engine.judged();
    const [capability] = plan.capabilities;
    const question = {
      name: 'default',
      capability,
      subject: { level: 'gpu' as const, id: gpu },
      nowMs: atMs,
      holds: [],
    };
    return { ...explain(plan, state, question), clearsAtMs: clearsAtIfHealthy(plan, state, question) };
  };
  return { answerAt };
}

async function startWithHistory(context: TestContext) {
  const tool = await requireTool(context, 'prometheus');
  const directory = temporaryDirectory();
  const file = join(directory, 'history.om');
  const storage = join(directory, 'storage');
  writeFileSync(file, history());
  execFileSync(programOf(tool, 'promtool'), ['tsdb', 'create-blocks-from', 'openmetrics', '-q', file, storage]);
  const server = await startPrometheus({ tool, storage, flags: ['--storage.tsdb.retention.time=100y'] });
  onTestFinished(() => server.stop());
  return engineOver(server.url);
}

describe('the shipped policy', () => {
  it('delays 300 s, then 450 s … up to 3000 s, and clears when the longest window has recovered', {
    timeout: 120_000,
  }, async (context) => {
    const { answerAt } = await startWithHistory(context);
    const before = await answerAt(HOT_FROM_MS - INTERVAL_MS, HOT_GPU);
    expect(before).toMatchObject({ status: 'healthy', multiplier: 0, outcome: { canProcess: true } });

    const ladder = [];
    for (const seconds of [0, 300, 750, 1425, 2440, 3960, 6240]) {
      const { outcome, multiplier, delayMs } = await answerAt(HOT_FROM_MS + seconds * 1000, HOT_GPU);
      ladder.push([outcome.episode?.failures, multiplier, delayMs / 1000, outcome.waitMs / 1000]);
    }
    expect(ladder).toEqual([
      [1, 10, 300, 300],
      [2, 15, 450, 450],
      [3, 22.5, 675, 675],
      [4, 33.75, 1012.5, 1012.5],
      [5, 50.625, 1518.75, 1518.75],
      [6, 75.9375, 2278.125, 2278.125],
      [7, 100, 3000, 3000],
    ]);

    const firstUp = await answerAt(HOT_UNTIL_MS, HOT_GPU);
    // 14 of 1440 bad ticks are 99.03 %, 15 are 98.96 %: the window is met once all but 14 have left it.
    const clearsAtMs = HOT_UNTIL_MS + (1440 - 15) * INTERVAL_MS;
    expect(firstUp).toMatchObject({ status: 'unhealthy', clearsAtMs });
    expect((await answerAt(clearsAtMs - INTERVAL_MS, HOT_GPU)).outcome.canProcess).toBe(false);
    expect(await answerAt(clearsAtMs, HOT_GPU)).toMatchObject({
      status: 'healthy',
      multiplier: 0,
      outcome: { canProcess: true },
    });
    expect((await answerAt(clearsAtMs, 'GPU-1')).outcome.episode).toBeUndefined();
  });
});
