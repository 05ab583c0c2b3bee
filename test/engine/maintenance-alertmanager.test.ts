/** Silences of a real Alertmanager, made with amtool, in the windows of an engine. */
import { execFileSync } from 'node:child_process';
import { pino } from 'pino';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import type { MaintenancePolicy } from '../../engine/core/policy.ts';
import { encodeTimeline } from '../../engine/core/window.ts';
import { Engine } from '../../engine/engine.ts';
import { openHttpClient } from '../../engine/http-client/client.ts';
import { PLAIN_HTTP } from '../../engine/http-client/settings.ts';
import { Maintenance } from '../../engine/maintenance.ts';
import { createOwnMetrics } from '../../engine/metrics/own.ts';
import { startAlertmanager } from '../servers/alertmanager.ts';
import { programOf, requireTool } from '../servers/require-tool.ts';
import type { RunningServer } from '../servers/server.ts';
import { MINUTE, policy, SECOND } from './core/fixtures.ts';
import { maintenancePolicy } from './core/silences.ts';
import { recordHistory } from './recorded-history.ts';
import { MemoryStore } from './rules/memory-store.ts';

const CONFIG = '{ route: { receiver: nobody }, receivers: [{ name: nobody }] }';
const SIGNAL = new AbortController().signal;

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function startTools(context: TestContext) {
  const tool = await requireTool(context, 'alertmanager');
  const alertmanager = await startAlertmanager({ tool, config: CONFIG });
  endings.push(alertmanager.stop);
  const amtool = (...args: readonly string[]): string => {
    const address = `--alertmanager.url=${alertmanager.url}`;
    return execFileSync(programOf(tool, 'amtool'), [...args, address], { encoding: 'utf8' }).trim();
  };
  const declare = (matcher: string, comment = 'maintenance: new fans') =>
    amtool('silence', 'add', matcher, `--comment=${comment}`, '--author=sre', '--duration=2h');
  return { tool, alertmanager, amtool, declare };
}

interface EngineStart {
  readonly change?: Partial<MaintenancePolicy>;
  readonly store?: MemoryStore;
  readonly nowMs?: number;
}

/** An engine whose clock starts at the real time, since that is the Alertmanager's, and moves as the test says. */
async function startEngine(
  alertmanager: RunningServer,
  { change = {}, store = new MemoryStore(), nowMs }: EngineStart,
) {
  const clock = { nowMs: nowMs ?? Date.now() };
  const judgedBy = policy({ maintenance: maintenancePolicy({ budgetMs: 600 * MINUTE, ...change }) });
  const history = recordHistory({ policy: judgedBy, gpus: 1, sinceMs: Date.now() - 60 * MINUTE });
  const stats = { absurdValues: 0 };
  const sources = { version: 'test', gateStats: { answers: new Map() }, history: stats, backlogTicks: () => 0 };
  const client = openHttpClient(PLAIN_HTTP);
  endings.push(() => client.close());
  const ports = { clock: { now: () => clock.nowMs, sleep: async () => {} }, store, log: pino({ level: 'silent' }) };
  const maintenance = await Maintenance.open({
    ...ports,
    peers: () => [{ url: alertmanager.url, client }],
    judged: () => engine.judged(),
  });
  const engine: Engine = await Engine.open(
    {
      ...ports,
      prom: history.prom,
      stats,
      metrics: createOwnMetrics({ ...sources, dataAgeSeconds: () => 0, isReady: () => true }),
      maintenance: (asked) => maintenance.calendar(asked),
    },
    judgedBy,
  );
  const judgeFor = async (ms: number) => {
    clock.nowMs += ms;
    await engine.judge(SIGNAL);
  };
  return { clock, store, engine, maintenance, judgeFor };
}

/** The windows of the one GPU as run-length text. */
function timelineOf(engine: Engine): string {
  const timeline = engine.judged().state.gpus.get('GPU-0')?.tracks[0]?.timeline;
  return timeline === undefined ? '' : encodeTimeline(timeline);
}

function maintenanceTicks(engine: Engine): number {
  return [...timelineOf(engine).matchAll(/m(\d+)/g)].reduce((sum, [, ticks]) => sum + Number(ticks), 0);
}

const TICK_MS = 10 * SECOND;
const NOTICE_MS = 3 * TICK_MS;

/** Ticks of maintenance that the spans which the engine knows hold, up to its newest. */
function declaredTicks(engine: Engine, maintenance: Maintenance): number {
  const { tickMs = 0 } = engine.judged().state;
  const spans = maintenance.view().calendar?.spans ?? [];
  return spans.reduce((sum, { span: { fromMs, toMs } }) => {
    const [first, end] = [Math.ceil(fromMs / TICK_MS), Math.min(Math.ceil(toMs / TICK_MS), tickMs / TICK_MS + 1)];
    return sum + Math.max(0, end - first);
  }, 0);
}

describe('a silence in a real Alertmanager', { timeout: 60_000 }, () => {
  it('becomes maintenance within one poll, a notice after it was made, and is the same after a restart', async (context) => {
    const { alertmanager, declare } = await startTools(context);
    const running = await startEngine(alertmanager, {});
    await running.judgeFor(0);
    const id = declare('instance=node-a');
    await running.maintenance.poll(SIGNAL);
    const [planned] = running.maintenance.view().calendar?.spans ?? [];
    const { fromMs = 0, toMs = 0, firstSeenMs = 0 } = planned?.span ?? {};
    expect(planned?.span).toMatchObject({ silence: id, createdBy: 'sre', comment: 'maintenance: new fans' });
    expect(Math.abs(toMs - fromMs - (120 * MINUTE - NOTICE_MS))).toBeLessThan(2 * SECOND);
    expect(fromMs - firstSeenMs).toBeGreaterThan(0);
    await running.judgeFor(2 * MINUTE);
    expect(maintenanceTicks(running.engine)).toBe(declaredTicks(running.engine, running.maintenance));
    expect(maintenanceTicks(running.engine)).toBeGreaterThanOrEqual(8);

    const restarted = await startEngine(alertmanager, { store: running.store, nowMs: running.clock.nowMs });
    await restarted.maintenance.poll(SIGNAL);
    await restarted.judgeFor(0);
    expect(timelineOf(restarted.engine)).toBe(timelineOf(running.engine));

    const replica = await startEngine(alertmanager, { nowMs: running.clock.nowMs });
    await replica.maintenance.poll(SIGNAL);
    await replica.judgeFor(0);
    expect(timelineOf(replica.engine)).toBe(timelineOf(running.engine));
  });

  it('is extended forward and ends a notice after it expires', async (context) => {
    const { alertmanager, amtool, declare } = await startTools(context);
    const { engine, maintenance, judgeFor } = await startEngine(alertmanager, {});
    await judgeFor(0);
    const id = declare('instance=node-a');
    await maintenance.poll(SIGNAL);
    const endOf = () => maintenance.view().calendar?.spans[0]?.span.toMs ?? 0;
    const firstEndMs = endOf();
    amtool('silence', 'update', '--duration=3h', id);
    await maintenance.poll(SIGNAL);
    expect(Math.abs(endOf() - firstEndMs - 60 * MINUTE)).toBeLessThan(5 * SECOND);
    await judgeFor(MINUTE);
    amtool('silence', 'expire', id);
    await maintenance.poll(SIGNAL);
    // The engine's clock is ahead of the Alertmanager's: what it has judged stays.
    expect(endOf()).toBe((engine.judged().state.tickMs ?? 0) + TICK_MS);
    await judgeFor(MINUTE);
    expect(timelineOf(engine)).toMatch(/u\d+m\d+u6$/);
  });

  it('outlives an Alertmanager that is killed and comes back without its silences', async (context) => {
    const { tool, alertmanager, declare } = await startTools(context);
    const { engine, maintenance, judgeFor } = await startEngine(alertmanager, {});
    await judgeFor(0);
    declare('instance=node-a');
    await maintenance.poll(SIGNAL);
    const before = maintenance.view().calendar?.spans.map(({ span }) => span);
    await alertmanager.kill();
    await maintenance.poll(SIGNAL);
    expect(maintenance.view().peers[0]?.failure).toContain('ECONNREFUSED');
    const again = await startAlertmanager({ tool, config: CONFIG, port: alertmanager.port });
    endings.push(again.stop);
    await maintenance.poll(SIGNAL);
    expect(maintenance.view().peers[0]?.failure).toBeUndefined();
    expect(maintenance.view().calendar?.spans.map(({ span }) => span)).toEqual(before);
    await judgeFor(2 * MINUTE);
    expect(maintenanceTicks(engine)).toBeGreaterThanOrEqual(8);
  });

  it('counts as usual beyond the budget', async (context) => {
    const { alertmanager, declare } = await startTools(context);
    const { engine, maintenance, judgeFor } = await startEngine(alertmanager, { change: { budgetMs: 4 * TICK_MS } });
    await judgeFor(0);
    declare('instance=~node-(a|b)');
    await maintenance.poll(SIGNAL);
    await judgeFor(2 * MINUTE);
    expect(timelineOf(engine)).toMatch(/m4u\d+$/);
  });

  it('changes nothing unless it says that it is maintenance, and of which node', async (context) => {
    const { alertmanager, declare } = await startTools(context);
    const { engine, maintenance, judgeFor } = await startEngine(alertmanager, {});
    await judgeFor(0);
    declare('instance=node-a', 'muting a noisy fan');
    declare('instance=~.+', 'maintenance: all of it');
    declare('alertname=GpuTooHot', 'maintenance: fans');
    await maintenance.poll(SIGNAL);
    await judgeFor(2 * MINUTE);
    expect(timelineOf(engine)).toMatch(/^u\d+$/);
    expect(
      maintenance
        .view()
        .refused.map(({ silence, reason }) => [silence.comment, reason])
        .sort(),
    ).toEqual([
      ['maintenance: all of it', 'it names no node and no GPU; add a matcher on instance or UUID'],
      ['maintenance: fans', 'its matcher on alertname mutes some alerts of a node, not the node'],
    ]);
  });
});
