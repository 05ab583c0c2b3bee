/** When most agents fail at once, the engine suspects itself. */
import { describe, expect, it } from 'vitest';
import { newAgent, START_MS } from '../store/ping-fixtures.ts';
import {
  type Agents,
  answer,
  DAY,
  GONE,
  HOUR,
  historyOf,
  MINUTE,
  newsIn,
  openWorld,
  SECOND,
  storedState,
  type World,
} from './service-fixtures.ts';

/** Days pass in seconds: an agent that is due waits a little longer. */
const UNHURRIED = { pollMs: 20 * SECOND, beatMs: 20 * SECOND };

const IDS = Array.from({ length: 100 }, (_, at) => `agent-${String(at).padStart(2, '0')}`);

/** Due one after the other, as after some pings. */
function spread(agents: readonly string[], overMs: number) {
  return { agents, dueAtMs: (at: number) => START_MS + 1 + (((at * 37) % agents.length) * overMs) / agents.length };
}

/** Agents whose number is below this are gone. */
function gone(below: number): Agents {
  return (id, question) => ({ reply: Number(id.slice(6)) < below ? GONE : answer(question), tookMs: 5 });
}

async function standings(world: World): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  for (const id of IDS) {
    const { consecutivePoor } = await storedState(world, id);
    counts.set(consecutivePoor, (counts.get(consecutivePoor) ?? 0) + 1);
  }
  return counts;
}

describe('a fleet of which most is gone at once', () => {
  it('pays nothing: what had counted is taken back once, what follows does not count, and all are asked again', async () => {
    const world = await openWorld(spread(IDS, 15 * MINUTE));
    const { service } = await world.start();
    await world.time.advance(40 * MINUTE);
    world.fleet.say = gone(60);
    await world.time.advance(20 * MINUTE);
    expect(await standings(world)).toEqual(new Map([[0, 100]]));
    const news = newsIn(world.log);
    const escalated = news.filter((line) => line.endsWith(' agent escalated')).map((line) => line.split(' ')[0]);
    const pardoned = news.filter((line) => line.includes(' agent pardoned')).map((line) => line.split(' ')[0]);
    expect(escalated.length).toBeGreaterThan(0);
    expect(pardoned.toSorted()).toEqual(escalated.toSorted());
    expect(news.filter((line) => line.startsWith('most agents fail at once'))).toHaveLength(1);
    expect(service.stats()).toMatchObject({ isSuspect: true });
    const outcomes = (await Promise.all(IDS.slice(0, 60).map((id) => historyOf(world, id)))).flat();
    expect(outcomes.filter(({ outcome }) => outcome === 'unobserved').length).toBeGreaterThan(50);
  });

  it('counts again when most answer again', async () => {
    const world = await openWorld(spread(IDS, 15 * MINUTE));
    const { service } = await world.start();
    await world.time.advance(40 * MINUTE);
    world.fleet.say = gone(100);
    await world.time.advance(20 * MINUTE);
    expect(service.stats().isSuspect).toBe(true);
    world.fleet.say = gone(5);
    await world.time.advance(90 * MINUTE);
    expect(service.stats().isSuspect).toBe(false);
    expect(newsIn(world.log)).toContain('agents answer again: failures count again');
    const paying = await Promise.all(
      IDS.map(async (id) => ((await storedState(world, id)).consecutivePoor > 0 ? [id] : [])),
    );
    expect(paying.flat()).toEqual(IDS.slice(0, 5));
  });

  it('is known before any failure counts, however large the fleet', async () => {
    const ids = Array.from({ length: 2000 }, (_, at) => `agent-${at}`);
    const world = await openWorld({ ...spread(ids, 10 * MINUTE), policy: { baseIntervalMs: 10 * MINUTE } });
    const { service } = await world.start();
    await world.time.advance(15 * MINUTE);
    world.fleet.say = () => ({ reply: GONE, tookMs: 5 });
    await world.time.advance(20 * SECOND);
    expect(service.stats().isSuspect).toBe(true);
    await world.time.advance(30 * SECOND);
    const poor = await Promise.all(ids.map(async (id) => (await storedState(world, id)).consecutivePoor));
    expect(Math.max(...poor)).toBe(0);
  });
});

describe('a fleet of which a fifth is gone', () => {
  it('causes no doubt, although connections are refused sooner than answers come', async () => {
    const ids = Array.from({ length: 1000 }, (_, at) => `agent-${at}`);
    const due = { agents: ids, dueAtMs: () => START_MS + 1 };
    const world = await openWorld(due);
    const { service } = await world.start();
    await world.time.advance(10 * MINUTE);
    world.fleet.say = (id, question) => {
      const isGone = Number(id.slice(6)) % 5 === 0;
      return { reply: isGone ? GONE : answer(question), tookMs: isGone ? 1 : 900 };
    };
    await world.time.advance(20 * MINUTE);
    expect(service.stats().isSuspect).toBe(false);
    expect(newsIn(world.log).filter((line) => line.startsWith('most agents fail at once'))).toEqual([]);
  });

  it('causes none by refusing or by answering nonsense either: that shows that the network is there', async () => {
    const world = await openWorld(spread(IDS, 15 * MINUTE));
    const { service } = await world.start();
    await world.time.advance(40 * MINUTE);
    world.fleet.say = () => ({ reply: { kind: 'invalid', reason: 'it answers 500' }, tookMs: 5 });
    await world.time.advance(40 * MINUTE);
    expect(service.stats().isSuspect).toBe(false);
    expect((await standings(world)).get(0)).toBeUndefined();
  });
});

describe('a doubt', () => {
  /** The agents that pay, after this long. */
  const paying = async (world: World) => {
    const poor = await Promise.all(
      IDS.map(async (id) => ((await storedState(world, id)).consecutivePoor > 0 ? id : [])),
    );
    return poor.flat();
  };

  it('ends although most stay gone: each is lost once, is excused for that, and pays from its next ping on', async () => {
    const world = await openWorld({ ...spread(IDS, 15 * MINUTE), ports: { timing: UNHURRIED } });
    const { service } = await world.start();
    await world.time.advance(40 * MINUTE);
    world.fleet.say = gone(60);
    await world.time.advance(15 * MINUTE);
    expect(service.stats().isSuspect).toBe(true);
    expect(await paying(world)).toEqual([]);
    await world.time.advance(15 * MINUTE);
    expect(service.stats().isSuspect).toBe(false);
    await world.time.advance(45 * MINUTE);
    expect(await paying(world)).toEqual(IDS.slice(0, 60));
    await world.time.advance(HOUR);
    expect(newsIn(world.log).filter((line) => line.startsWith('most agents fail at once'))).toHaveLength(1);
  });

  it('costs nobody anything when all were gone for 20 minutes, and so does one over a restart of the engine', async () => {
    const world = await openWorld({ ...spread(IDS, 15 * MINUTE), ports: { timing: UNHURRIED } });
    const { stop } = await world.start();
    await world.time.advance(40 * MINUTE);
    world.fleet.say = gone(100);
    await world.time.advance(10 * MINUTE);
    await stop();
    const { service } = await world.start();
    await world.time.advance(10 * MINUTE);
    world.fleet.say = gone(0);
    await world.time.advance(3 * HOUR);
    expect(service.stats().isSuspect).toBe(false);
    expect(await paying(world)).toEqual([]);
    const outcomes = (await Promise.all(IDS.map((id) => historyOf(world, id)))).map((pings) => pings.at(-1)?.outcome);
    expect(new Set(outcomes)).toEqual(new Set(['good']));
  });

  it('ends after the longest interval when nobody answers at all, and begins no other', async () => {
    const policy = { maxIntervalMs: 4 * HOUR };
    const world = await openWorld({ ...spread(IDS, 15 * MINUTE), policy, ports: { timing: UNHURRIED } });
    const { service } = await world.start();
    await world.time.advance(40 * MINUTE);
    world.fleet.say = gone(100);
    await world.time.advance(4 * HOUR);
    expect(service.stats().isSuspect).toBe(true);
    expect(await paying(world)).toEqual([]);
    await world.time.advance(2 * HOUR);
    expect(service.stats().isSuspect).toBe(false);
    expect(await paying(world)).toEqual(IDS);
    expect(newsIn(world.log)).toContain('no agent has answered for the longest interval: failures count again');
  });

  it.each([30, 45, 60, 75])(
    'is not kept up by %i of 100 URLs that never answer: each of them pays',
    async (dead) => {
      const world = await openWorld({ ...spread(IDS, 15 * MINUTE), say: gone(dead), ports: { timing: UNHURRIED } });
      const { service } = await world.start();
      await world.time.advance(DAY);
      expect(service.stats().isSuspect).toBe(false);
      expect(await paying(world)).toEqual(IDS.slice(0, dead));
      const steps = await Promise.all(
        IDS.slice(0, dead).map(async (id) => (await storedState(world, id)).consecutivePoor),
      );
      expect(Math.min(...steps)).toBeGreaterThanOrEqual(5);
    },
    120_000,
  );

  it('is not begun by dead URLs that are registered again and again while others answer', async () => {
    const world = await openWorld({
      ...spread(IDS.slice(60), 15 * MINUTE),
      say: gone(60),
      ports: { timing: UNHURRIED },
    });
    const { service } = await world.start();
    await world.time.advance(20 * MINUTE);
    for (let round = 0; round < 12; round++) {
      for (const id of IDS.slice(0, 60)) {
        await service.registry.remove(id, 'operator');
        await world.agents.add(newAgent(id, world.time.now() + 1), IDS.length);
      }
      await world.time.advance(5 * MINUTE);
      expect(service.stats().isSuspect).toBe(false);
    }
    expect(service.stats().attempts.unreachable).toBeGreaterThan(60);
  });
});

describe('a fleet of which half is gone', () => {
  it('pays for itself', async () => {
    const world = await openWorld(spread(IDS, 15 * MINUTE));
    const { service } = await world.start();
    await world.time.advance(40 * MINUTE);
    world.fleet.say = gone(30);
    await world.time.advance(20 * MINUTE);
    expect(await standings(world)).toEqual(
      new Map([
        [1, 30],
        [0, 70],
      ]),
    );
    expect(service.stats().isSuspect).toBe(false);
  });

  it('is no mass failure when one dead agent is asked for again and again', async () => {
    const world = await openWorld({ agents: IDS.slice(0, 20), say: gone(1) });
    const { service } = await world.start();
    await world.time.advance(MINUTE);
    for (let at = 0; at < 50; at++) {
      void service.pingNow('agent-00', new AbortController().signal);
      await world.time.advance(200);
    }
    expect(service.stats()).toMatchObject({ isSuspect: false });
  });
});
