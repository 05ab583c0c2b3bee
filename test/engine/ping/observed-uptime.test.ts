/** What Prometheus saw between two pings, asked of a real Prometheus and compared with its samples, judged one by one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, type TestContext } from 'vitest';
import { createFleet, stepFleet } from '../../../engine/core/fleet.ts';
import { type Plan, planPolicy } from '../../../engine/core/plan.ts';
import type { Policy } from '../../../engine/core/policy.ts';
import { TICK } from '../../../engine/core/tick.ts';
import type { PingSpan } from '../../../engine/ping/evidence-port.ts';
import { uptimeObserver } from '../../../engine/ping/observed-uptime.ts';
import { createPromClient } from '../../../engine/prometheus/client.ts';
import { readTicks } from '../../../engine/prometheus/history.ts';
import type { PromQuery } from '../../../engine/prometheus/query.ts';
import { createRemoteWriter } from '../../../engine/prometheus/remote-write.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { capability, MINUTE, policy, SECOND } from '../core/fixtures.ts';
import { anAgent } from '../store/ping-fixtures.ts';
import {
  FRESH_MS,
  INTERVAL_MS,
  judgedByHand,
  ODD_NODE,
  SETTLE_MS,
  START_MS,
  seenHistory,
  TICKS,
} from './seen-history.ts';

const DAY = 24 * 60 * MINUTE;
const CAPABILITY = capability('default', { checks: [] });
const LIMIT_MS = 120_000;

function policyOf(rememberMs = DAY): Policy {
  const grid = { intervalMs: INTERVAL_MS, settleMs: SETTLE_MS };
  const presence = { ...policy().presence, freshMs: FRESH_MS, rememberMs };
  return policy({ ...grid, presence, capabilities: [CAPABILITY] });
}

interface Filled {
  /** Every query, with how often it was asked. */
  readonly prom: PromQuery & { readonly asked: string[] };
  end(): Promise<void>;
}

let filled: Promise<Filled> | undefined;
afterAll(async () => (await filled)?.end());

/** A real Prometheus with the history, the same for all tests of this file. */
async function fill(context: TestContext): Promise<Filled> {
  const tool = await requireTool(context, 'prometheus');
  filled ??= (async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gpu-uptime-seen-'));
    const [file, storage] = [join(directory, 'history.om'), join(directory, 'storage')];
    writeFileSync(file, seenHistory());
    execFileSync(programOf(tool, 'promtool'), ['tsdb', 'create-blocks-from', 'openmetrics', '-q', file, storage]);
    const server = await startPrometheus({ tool, storage, flags: ['--storage.tsdb.retention.time=100y'] });
    const client = createPromClient({ url: server.url, timeoutMs: LIMIT_MS, concurrency: 4 });
    const asked: string[] = [];
    const instant: PromQuery['instant'] = (expr, atMs, signal) => {
      asked.push(expr);
      return client.instant(expr, atMs, signal);
    };
    const end = async () => {
      await client.close();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    };
    return { prom: { instant, range: client.range, asked }, end };
  })();
  return filled;
}

const CHARGES = [
  { gpu: 'GPU-a0' },
  { gpu: 'GPU-a1' },
  { gpu: 'GPU-new' },
  { gpu: 'GPU-moved' },
  { gpu: 'GPU-b1' },
  { gpu: 'GPU-c0' },
  { gpu: 'GPU-e0' },
  { gpu: 'GPU-odd' },
  { gpu: 'GPU-unknown' },
  { node: 'node-a:9400' },
  { node: 'node-b:9400' },
  { node: 'node-c:9400' },
  { node: 'node-d:9400' },
  { node: 'node-e:9400' },
  { node: ODD_NODE },
  { node: 'node-.:9400' },
] as const;

function agentOf(charge: { gpu?: string; node?: string }) {
  return anAgent('agent-001', { node: charge.node ?? 'node-b:9400', gpu: charge.gpu });
}

const at = (tick: number) => START_MS + tick * INTERVAL_MS;
const END_MS = at(TICKS - 1);

const SPANS: Readonly<Record<string, PingSpan>> = {
  'the whole hour': { fromMs: START_MS - 1, toMs: END_MS + SETTLE_MS },
  'between ticks': { fromMs: at(58) + 1234, toMs: at(238) + 4321 },
  'from tick to tick': { fromMs: at(50), toMs: at(70) },
  'one tick': { fromMs: at(64), toMs: at(65) + SETTLE_MS },
  'one tick, and another that has not settled': { fromMs: at(64), toMs: at(66) + SETTLE_MS - 1 },
  'no tick': { fromMs: at(64), toMs: at(65) + SETTLE_MS - 1 },
  'no time': { fromMs: at(64), toMs: at(64) },
  'an outage of the observer, and its return': { fromMs: at(295), toMs: at(352) },
  'within an outage': { fromMs: at(310), toMs: at(330) },
  'a new GPU': { fromMs: at(280), toMs: at(370) },
  'a move': { fromMs: at(390), toMs: at(410) },
  'the time after a move': { fromMs: at(600) - 1, toMs: at(700) },
  'a target that is down': { fromMs: at(415) + 1, toMs: at(525) },
  'before all samples': { fromMs: START_MS - 3600 * SECOND, toMs: START_MS - 600 * SECOND },
  'from before all samples': { fromMs: START_MS - 600 * SECOND, toMs: at(10) },
};

function observing(prom: PromQuery, rememberMs?: number) {
  const observe = uptimeObserver({ prom, policy: () => policyOf(rememberMs) });
  const signal = AbortSignal.timeout(LIMIT_MS);
  return (charge: { gpu?: string; node?: string }, span: PingSpan) => observe(span, agentOf(charge), signal);
}

describe('the observed uptime', () => {
  it.for(Object.entries(SPANS))(
    'equals what the samples say, to the tick: %s',
    { timeout: LIMIT_MS },
    async ([, span], context) => {
      const observe = observing((await fill(context)).prom);
      const seen = await Promise.all(CHARGES.map(async (charge) => [charge, await observe(charge, span)]));
      const known = { rememberMs: DAY, stepMs: INTERVAL_MS };
      expect(seen).toEqual(CHARGES.map((charge) => [charge, judgedByHand(charge, span, known)]));
    },
  );

  it('knows a GPU only as long as the policy remembers it', { timeout: LIMIT_MS }, async (context) => {
    const { prom } = await fill(context);
    const span = SPANS['the whole hour'] ?? { fromMs: 0, toMs: 0 };
    for (const rememberMs of [4 * MINUTE, 10 * MINUTE, 14 * MINUTE]) {
      const observe = observing(prom, rememberMs);
      const known = { rememberMs, stepMs: INTERVAL_MS };
      for (const charge of [{ gpu: 'GPU-gone' }, { gpu: 'GPU-a1' }, { node: 'node-d:9400' }]) {
        expect([rememberMs, charge, await observe(charge, span)]).toEqual([
          rememberMs,
          charge,
          judgedByHand(charge, span, known),
        ]);
      }
    }
  });

  it('tells that it watched and knew none of the GPUs from that nobody watched', {
    timeout: LIMIT_MS,
  }, async (context) => {
    const observe = observing((await fill(context)).prom, 4 * MINUTE);
    const nothing = { uptime: undefined, coverage: 0 };
    const charges = [{ gpu: 'GPU-gone' }, { node: 'node-unknown:9400' }];
    const [forgotten, outage] = [
      { fromMs: at(560), toMs: at(600) },
      { fromMs: at(310), toMs: at(330) },
    ];
    for (const charge of charges) {
      expect(await observe(charge, forgotten)).toEqual({ ...nothing, watched: 1 });
      expect(await observe(charge, outage)).toEqual({ ...nothing, watched: 0 });
    }
  });

  it('looks at fewer ticks of a very long span, by the same rules', { timeout: LIMIT_MS }, async (context) => {
    const observe = observing((await fill(context)).prom);
    const span = { fromMs: END_MS - 4 * DAY, toMs: END_MS };
    const known = { rememberMs: DAY, stepMs: 4 * INTERVAL_MS };
    for (const charge of [{ gpu: 'GPU-a1' }, { gpu: 'GPU-new' }, { node: 'node-b:9400' }]) {
      expect(await observe(charge, span)).toEqual(judgedByHand(charge, span, known));
    }
  });

  it('is what the engine itself judges at the same ticks, but for its health checks', {
    timeout: LIMIT_MS,
  }, async (context) => {
    const { prom } = await fill(context);
    const states = await foldStates(prom, planPolicy(policyOf()));
    const observe = observing(prom);
    // A GPU that moves counts for its new node at once in the folds; here it is looked for wherever it was.
    const nodes = ['node-b:9400', 'node-c:9400', 'node-e:9400', ODD_NODE];
    for (const [name, span] of Object.entries(SPANS)) {
      const seen = await Promise.all(nodes.map((node) => observe({ node }, span)));
      expect([name, seen]).toMatchObject([name, nodes.map((node) => uptimeIn(states, node, span))]);
    }
  });
});

interface Judged {
  readonly gpu: string;
  readonly node: string;
  readonly atMs: number;
  readonly isUp: boolean;
}

/** Every tick of every GPU that the folds judged up or down. */
async function foldStates(prom: PromQuery, plan: Plan): Promise<readonly Judged[]> {
  const range = { startMs: START_MS, endMs: END_MS, stepMs: INTERVAL_MS };
  const history = { prom, policy: plan.policy, stats: { absurdValues: 0 } };
  const state = createFleet();
  const judged: Judged[] = [];
  for (const observation of await readTicks(history, range, AbortSignal.timeout(LIMIT_MS))) {
    stepFleet(plan, state, observation);
    for (const { gpu, node, tracks } of state.gpus.values()) {
      const tick = tracks[0]?.verdict.state;
      if (tick !== TICK.up && tick !== TICK.down) continue;
      judged.push({ gpu, node, atMs: observation.atMs, isUp: tick === TICK.up });
    }
  }
  return judged;
}

function uptimeIn(states: readonly Judged[], node: string, { fromMs, toMs }: PingSpan) {
  const [startMs = 0, lastMs = 0] = [fromMs, toMs].map(
    (ms) => Math.floor((ms - SETTLE_MS) / INTERVAL_MS) * INTERVAL_MS,
  );
  const ticks = (lastMs - startMs) / INTERVAL_MS;
  const mine = states.filter((judged) => judged.node === node && judged.atMs > startMs && judged.atMs <= lastMs);
  if (mine.length === 0) return { uptime: undefined, coverage: 0 };
  const gpus = new Set(mine.map(({ gpu }) => gpu)).size;
  return { uptime: mine.filter(({ isUp }) => isUp).length / mine.length, coverage: mine.length / (gpus * ticks) };
}

describe('a stale marker', () => {
  it('is the end of a GPU at once, as it is for the engine itself', { timeout: LIMIT_MS }, async (context) => {
    const server = await startPrometheus({ tool: await requireTool(context, 'prometheus') });
    const settings = { timeoutMs: LIMIT_MS, concurrency: 1 };
    const [prom, writer] = [
      createPromClient({ ...settings, url: server.url }),
      createRemoteWriter({ ...settings, url: `${server.url}/api/v1/write` }),
    ];
    try {
      const endMs = Math.floor(Date.now() / INTERVAL_MS) * INTERVAL_MS;
      const startMs = endMs - 200 * INTERVAL_MS;
      const scraped = (tick: number, value: number | 'stale' = 1) => ({
        atMs: startMs + tick * INTERVAL_MS - 3000,
        value,
      });
      const all = Array.from({ length: 201 }, (_, tick) => scraped(tick));
      const [job, instance] = ['gpu', 'node-s:9400'];
      const gpu = { __name__: 'DCGM_FI_DEV_GPU_TEMP', UUID: 'GPU-s', job, instance };
      await writer.write(
        [
          { labels: { __name__: 'up', job: 'prometheus' }, samples: all },
          { labels: { __name__: 'up', job, instance }, samples: all },
          { labels: gpu, samples: [...all.slice(0, 100), scraped(100, 'stale'), ...all.slice(140)] },
        ],
        AbortSignal.timeout(LIMIT_MS),
      );
      const span = { fromMs: startMs + SETTLE_MS, toMs: endMs + SETTLE_MS };
      expect(await observing(prom)({ gpu: 'GPU-s' }, span)).toEqual({ uptime: 160 / 200, coverage: 1, watched: 1 });
    } finally {
      await Promise.all([prom.close(), writer.close()]);
      await server.stop();
    }
  });
});

describe('the queries', () => {
  it('are two for all agents that are asked about at once', { timeout: LIMIT_MS }, async (context) => {
    const { prom } = await fill(context);
    const observe = observing(prom);
    const before = prom.asked.length;
    await Promise.all(CHARGES.map((charge) => observe(charge, { fromMs: at(10), toMs: at(190) })));
    expect(prom.asked.length - before).toBe(2);
  });

  it.for([
    'x"} or vector(1) or up{instance="node-a:9400',
    'node-a:9400" or 1==1 or "',
    "' or '1",
    '`node-a:9400`',
    'node-a:9400\\',
    '\\"',
    'node-a.*',
    '.*',
    '.+|node-a:9400',
    '(?i)NODE-A:9400',
    '^node-a:9400$',
    '[a-z-]*:9400',
    '\\Qnode-a:9400\\E',
    '\\d{2,1}(',
    'node-a:9400\n',
    'node-a:9400 # ',
    '$1',
    '{{ $labels }}',
    '\u2028\u0000\u202e',
    '\ud800',
    '𝔫𝔬𝔡𝔢',
    'x'.repeat(512),
    '',
  ])('take %j for a name, and for nothing else', { timeout: LIMIT_MS }, async (name, context) => {
    const observe = observing((await fill(context)).prom);
    const span = { fromMs: at(10), toMs: at(60) };
    const nothing = { uptime: undefined, coverage: 0, watched: 1 };
    const asked = [{ node: name }, { gpu: name }, { node: 'node-a:9400' }] as const;
    expect(await Promise.all(asked.map((charge) => observe(charge, span)))).toEqual([
      nothing,
      nothing,
      { uptime: 1, coverage: 1, watched: 1 },
    ]);
  });

  it('that nobody answers are an error, and those nobody waits for are none', async () => {
    const client = createPromClient({ url: 'http://127.0.0.1:1', timeoutMs: SECOND, concurrency: 1 });
    const span = { fromMs: at(10), toMs: at(60) };
    const observe = uptimeObserver({ prom: client, policy: () => policyOf() });
    const agent = agentOf({ node: 'node-a:9400' });
    await expect(observe(span, agent, AbortSignal.timeout(LIMIT_MS))).rejects.toMatchObject({
      name: 'QueryError',
      kind: 'unreachable',
    });
    expect(await observe(span, agent, AbortSignal.abort())).toBeUndefined();
    await client.close();
  });
});
