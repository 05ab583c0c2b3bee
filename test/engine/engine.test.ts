import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../engine/core/policy.ts';
import { Engine } from '../../engine/engine.ts';
import { createOwnMetrics } from '../../engine/metrics/own.ts';
import { QueryError } from '../../engine/prometheus/query.ts';
import type { Store } from '../../engine/store/store.ts';
import { MINUTE, policy, SECOND, START_MS } from './core/fixtures.ts';
import { type Recorded, recordHistory } from './recorded-history.ts';
import { MemoryStore } from './rules/memory-store.ts';

const POLICY = policy();
const SIGNAL = new AbortController().signal;
/** A while into the history, so that a cold start has its whole backfill. */
const NOW_MS = START_MS + 60 * MINUTE;

async function startEngine(change: Partial<Recorded> = {}, store: Store = new MemoryStore()) {
  const history = recordHistory({ policy: POLICY, gpus: 2, sinceMs: START_MS, ...change });
  const clock = { nowMs: NOW_MS };
  const stats = { absurdValues: 0 };
  const sources = { version: 'test', gateStats: { answers: new Map() }, history: stats, backlogTicks: () => 0 };
  const metrics = createOwnMetrics({ ...sources, dataAgeSeconds: () => 0, isReady: () => true });
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const ports = {
    clock: { now: () => clock.nowMs, sleep: async () => {} },
    prom: history.prom,
    store,
    log,
    stats,
    metrics,
  };
  const engine: Engine = await Engine.open(ports, POLICY);
  return { engine, history, clock, store, lines };
}

function tickSeconds(engine: Engine): number {
  return ((engine.judged().state.tickMs ?? 0) - START_MS) / SECOND;
}

describe('a cold start', () => {
  it('judges the whole backfill up to the newest settled tick, and is ready then', async () => {
    const { engine } = await startEngine();
    expect(engine.isReady()).toBe(false);
    await engine.judge(SIGNAL);
    expect(engine.isReady()).toBe(true);
    expect(tickSeconds(engine)).toBe(3590);
    const track = engine.judged().state.gpus.get('GPU-0')?.tracks[0];
    expect(track?.timeline.ticks).toBe(POLICY.backfillMs / POLICY.intervalMs);
  });

  it('reads in chunks that fit the fleet, also when no GPU is known at the start of the backfill', async () => {
    const { engine, history } = await startEngine({ gpus: 20_000, sinceMs: NOW_MS - 3 * MINUTE });
    await engine.judge(SIGNAL);
    // 2,000,000 cells over 20,000 GPUs and 4 queries.
    expect(Math.max(...history.chunks)).toBeLessThanOrEqual(25);
    expect(engine.judged().state.gpus.size).toBe(20_000);
  });

  it('keeps to chunks that fit when it goes on after a failure', async () => {
    const { engine, history } = await startEngine({ gpus: 20_000, sinceMs: NOW_MS - 3 * MINUTE });
    history.rangesLeft = 2;
    await expect(engine.judge(SIGNAL)).rejects.toThrow(QueryError);
    history.rangesLeft = Number.POSITIVE_INFINITY;
    await engine.judge(SIGNAL);
    expect(Math.max(...history.chunks)).toBeLessThanOrEqual(25);
  });

  it('is not ready while Prometheus does not answer, and tries again', async () => {
    const { engine, history } = await startEngine();
    history.isDown = true;
    await expect(engine.judge(SIGNAL)).rejects.toThrow(QueryError);
    expect(engine.isReady()).toBe(false);
    history.isDown = false;
    await engine.judge(SIGNAL);
    expect(engine.isReady()).toBe(true);
  });

  it('keeps what it has read when a reload to the same judgement comes in between', async () => {
    const { engine } = await startEngine();
    const reading = engine.judge(SIGNAL);
    const renamed: Policy = { ...POLICY, report: { intervalMs: 5 * MINUTE, detailed: true } };
    await Promise.all([reading, engine.usePolicy(renamed, SIGNAL)]);
    expect([engine.isReady(), tickSeconds(engine)]).toEqual([true, 3590]);
    expect(engine.judged().plan.policy.report.detailed).toBe(true);
  });
});

describe('a reload to another policy', () => {
  it('replays history without reporting it as news', async () => {
    const { engine, lines } = await startEngine({ sinceMs: NOW_MS - 3 * MINUTE });
    await engine.judge(SIGNAL);
    const before = lines.length;
    await engine.usePolicy({ ...POLICY, revision: 'another00000' }, SIGNAL);
    expect(engine.judged().plan.policy.revision).toBe('another00000');
    expect([tickSeconds(engine), lines.slice(before)]).toEqual([3590, []]);
  });
});

describe('a running engine', () => {
  it('makes up for ticks it missed while Prometheus was away', async () => {
    const { engine, history, clock } = await startEngine();
    await engine.judge(SIGNAL);
    history.isDown = true;
    clock.nowMs += 5 * MINUTE;
    await expect(engine.judge(SIGNAL)).rejects.toThrow(QueryError);
    expect(engine.backlogTicks()).toBe(30);
    history.isDown = false;
    await engine.judge(SIGNAL);
    expect([engine.backlogTicks(), tickSeconds(engine)]).toEqual([0, 3890]);
  });

  it('reads history anew when it is too far behind, or when the clock was set back', async () => {
    const { engine, clock, history } = await startEngine();
    await engine.judge(SIGNAL);
    clock.nowMs += 48 * 60 * MINUTE;
    await engine.judge(SIGNAL);
    expect(tickSeconds(engine)).toBe(3590 + 48 * 3600);
    expect(history.chunks.reduce((sum, ticks) => sum + ticks, 0)).toBeLessThan(200);
    clock.nowMs = NOW_MS;
    await engine.judge(SIGNAL);
    expect(tickSeconds(engine)).toBe(3590);
  });

  it('waits for a clock that was set back by a little', async () => {
    const { engine, clock } = await startEngine();
    await engine.judge(SIGNAL);
    clock.nowMs -= 30 * SECOND;
    await engine.judge(SIGNAL);
    expect(tickSeconds(engine)).toBe(3590);
  });
});

describe('what the store gives back', () => {
  it.each([
    ['nothing of a checkpoint', {}],
    ['another format', { version: 1, revision: POLICY.revision, tickMs: 1 }],
    [
      'impossible states',
      {
        version: 2,
        revision: POLICY.revision,
        tickMs: NOW_MS,
        guard: { lowSince: [] },
        episodes: [],
        gpus: [
          {
            gpu: 'a',
            node: 'a',
            target: 'a',
            labels: {},
            lastSeenMs: 1,
            tracks: [{ ticks: 3, states: 'x3', sinceMs: 1 }],
          },
        ],
      },
    ],
    ['a number', 7],
  ])('is not believed when it is %s', async (_, value) => {
    const store = new MemoryStore();
    await store.write('checkpoint', { put: [{ key: 'fleet', value }] });
    const { engine } = await startEngine({}, store);
    expect(engine.judged().state.tickMs).toBeUndefined();
    await engine.judge(SIGNAL);
    expect(tickSeconds(engine)).toBe(3590);
  });

  it('continues from a good checkpoint, and drops only the holds that are damaged', async () => {
    const first = await startEngine();
    await first.engine.judge(SIGNAL);
    const hold = {
      id: 'h1',
      subject: { level: 'fleet' },
      effect: 'deny',
      owner: 'ops',
      reason: 'x',
      createdAtMs: 1,
      expiresAtMs: 9e15,
    } as const;
    await first.engine.addHold(hold);
    await first.store.write('hold', { put: [{ key: 'h2', value: { id: 'h2', effect: 'maybe' } }] });
    const again = await startEngine({}, first.store);
    expect(tickSeconds(again.engine)).toBe(3590);
    expect(again.engine.holds()).toEqual([hold]);
  });
});
