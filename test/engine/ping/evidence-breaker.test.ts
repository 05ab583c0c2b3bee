/** A Prometheus that is away, asked by many pings. */
import { describe, expect, it } from 'vitest';
import { sparingObserver } from '../../../engine/ping/evidence-breaker.ts';
import type { ObserveUptime } from '../../../engine/ping/evidence-port.ts';
import { QueryError } from '../../../engine/prometheus/query.ts';
import { claim, times } from '../core/ping/fixtures.ts';
import { anAgent } from '../store/ping-fixtures.ts';
import { answer, memoryLog, openWorld, SECOND } from './service-fixtures.ts';

const SPAN = { fromMs: 0, toMs: 900_000 };
const SEEN = claim(0.998);

/** A Prometheus that does as told, and the clock in hand. */
function open(first: ObserveUptime) {
  const world = { now: 0, asked: 0, prometheus: first };
  const observe: ObserveUptime = (...question) => {
    world.asked += 1;
    return world.prometheus(...question);
  };
  const spared = sparingObserver(observe, { elapsed: () => world.now });
  const ask = (signal = new AbortController().signal) => spared(SPAN, anAgent('a'), signal);
  /** Gives up after so long, as a ping does. */
  const askFor = async (ms: number) => {
    const ping = new AbortController();
    const asked = ask(ping.signal).catch((error: unknown) => error);
    world.now += ms;
    ping.abort();
    return asked;
  };
  const fail = () => ask().catch((error: QueryError) => error.message);
  return { world, ask, askFor, fail };
}

const failing =
  (kind: QueryError['kind']): ObserveUptime =>
  async () => {
    throw new QueryError(kind, 'it failed');
  };
const knowing: ObserveUptime = async () => SEEN;
/** Until its ping gives up, as the observer does. */
const hanging: ObserveUptime = (_span, _agent, signal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
/** Whatever its ping does. */
const deaf: ObserveUptime = () => new Promise(() => undefined);

const SPARED = 'Prometheus has not answered lately: it is asked again soon';

describe('sparingObserver', () => {
  it('passes on what is known, and what goes wrong', async () => {
    const { world, ask, fail } = open(knowing);
    expect(await ask()).toEqual(SEEN);
    world.prometheus = failing('timeout');
    expect(await fail()).toBe('it failed');
    world.prometheus = async () => undefined;
    expect(await ask()).toBeUndefined();
  });

  it.each(['unreachable', 'timeout', 'bad_answer', 'server_error'] as const)(
    'asks nobody for ten seconds after five in a row were %s',
    async (kind) => {
      const { world, fail } = open(failing(kind));
      for (const _ of times(5, 0)) expect(await fail()).toBe('it failed');
      expect(await fail()).toBe(SPARED);
      world.now += 9_999;
      expect(await fail()).toBe(SPARED);
      expect(world.asked).toBe(5);
      world.now += 1;
      expect(await fail()).toBe('it failed');
      expect(await fail()).toBe(SPARED);
      expect(world.asked).toBe(6);
    },
  );

  it('rejects as Prometheus does when it is away', async () => {
    const { fail, ask } = open(failing('timeout'));
    for (const _ of times(5, 0)) await fail();
    await expect(ask()).rejects.toBeInstanceOf(QueryError);
  });

  it.each([
    ['gives up with its ping', hanging],
    ['hangs for ever', deaf],
  ])('takes a question that its ping gave up for unanswered, and one that %s for over', async (_, prometheus) => {
    const { world, askFor, fail, ask } = open(prometheus);
    for (const _ of times(5, 0)) void askFor(5000);
    expect(await fail()).toBe(SPARED);
    world.now += 10_000;
    void askFor(5000);
    world.now += 10_000;
    world.prometheus = knowing;
    expect(await ask()).toEqual(SEEN);
  });

  it('takes nobody who leaves early for a sign', async () => {
    const { world, askFor } = open(hanging);
    for (const _ of times(20, 0)) expect(await askFor(999)).toBeUndefined();
    expect(world.asked).toBe(20);
  });

  it('lets one question through at a time, and is itself again after its answer', async () => {
    const { world, ask, fail } = open(failing('unreachable'));
    for (const _ of times(5, 0)) await fail();
    world.now += 10_000;
    const { promise, resolve } = Promise.withResolvers<typeof SEEN>();
    world.prometheus = () => promise;
    const first = ask();
    expect(await fail()).toBe(SPARED);
    world.prometheus = knowing;
    resolve(SEEN);
    expect(await first).toEqual(SEEN);
    expect(await Promise.all(times(9, 0).map(() => ask()))).toEqual(times(9, SEEN));
  });

  it('counts in a row: an answer between is enough, and so is a question that is found wrong', async () => {
    const { world, fail, ask } = open(failing('timeout'));
    for (const kind of ['answer', 'bad_data', 'answer'] as const) {
      world.prometheus = failing('timeout');
      for (const _ of times(4, 0)) await fail();
      world.prometheus = kind === 'answer' ? knowing : failing(kind);
      await ask().catch(() => undefined);
    }
    expect(world.asked).toBe(15);
  });

  it('does not take silence about a span for a sign of life, as it may come from nobody', async () => {
    const { world, fail, ask } = open(failing('timeout'));
    for (const _ of times(4, 0)) await fail();
    world.prometheus = async () => ({ uptime: undefined, coverage: 0 });
    await ask();
    world.prometheus = failing('timeout');
    expect([await fail(), await fail()]).toEqual(['it failed', SPARED]);
  });

  it('asks nobody for a ping that is over', async () => {
    const { world, ask } = open(knowing);
    expect(await ask(AbortSignal.abort())).toBeUndefined();
    expect(world.asked).toBe(0);
  });

  it('leaves no listener behind', async () => {
    const { ask } = open(knowing);
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    for (const _ of times(5, 0)) await ask(signal);
    expect(listeners).toBe(0);
  });
});

describe('pings while Prometheus hangs', () => {
  const ids = Array.from({ length: 60 }, (_, at) => `agent-${at}`);
  const EVIDENCE_MS = 1100;

  async function secondPings(spare: (observe: ObserveUptime) => ObserveUptime) {
    const policy = { evidence: 'both', maxConcurrentAgents: 5 } as const;
    const say = (_: string, question: Parameters<typeof answer>[0]) => ({ reply: answer(question), tookMs: 5 });
    const world = await openWorld({ agents: ids, policy, say, ports: { timing: { evidenceMs: EVIDENCE_MS } } });
    const { service } = await world.start({ observe: spare(hanging), isScheduling: false, log: memoryLog() });
    const pingAll = () => Promise.all(ids.map((id) => service.pingNow(id, new AbortController().signal)));
    const first = pingAll();
    await world.time.advance(10 * SECOND);
    await first;
    await world.time.advance(3_600_000);
    const startedAt = performance.now();
    let isDone = false;
    const second = pingAll().finally(() => {
      isDone = true;
    });
    while (!isDone) await world.time.advance(5);
    const outcomes = (await second).map((pinged) => pinged.kind === 'pinged' && pinged.record?.outcome);
    return { outcomes, tookMs: performance.now() - startedAt, stats: service.stats() };
  }

  it('go on without evidence, and do not wait for it each in its slot', async () => {
    const { outcomes, tookMs, stats } = await secondPings((observe) =>
      sparingObserver(observe, { elapsed: () => performance.now() }),
    );
    expect(outcomes).toEqual(times(60, 'good'));
    expect(stats).toMatchObject({ withoutEvidence: 60, inFlight: 0 });
    // Sixty agents in five slots would take twelve times as long as one waits.
    expect(tookMs).toBeGreaterThan(EVIDENCE_MS - 100);
    expect(tookMs).toBeLessThan(4 * EVIDENCE_MS);
  }, 30_000);
});
