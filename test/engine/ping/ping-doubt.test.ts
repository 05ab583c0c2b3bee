/** When most agents fail at once, the engine suspects itself. */
import { describe, expect, it } from 'vitest';
import { START_MS } from '../store/ping-fixtures.ts';
import {
  type Agents,
  answer,
  GONE,
  historyOf,
  MINUTE,
  newsIn,
  openWorld,
  SECOND,
  storedState,
  type World,
} from './service-fixtures.ts';

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

  it('is known as soon as it begins, however large the fleet', async () => {
    const ids = Array.from({ length: 2000 }, (_, at) => `agent-${at}`);
    const world = await openWorld({ ...spread(ids, 10 * MINUTE), policy: { baseIntervalMs: 10 * MINUTE } });
    const { service } = await world.start();
    await world.time.advance(15 * MINUTE);
    world.fleet.say = () => ({ reply: GONE, tookMs: 5 });
    await world.time.advance(15 * SECOND);
    expect(service.stats().isSuspect).toBe(true);
    await world.time.advance(30 * SECOND);
    const poor = await Promise.all(ids.map(async (id) => (await storedState(world, id)).consecutivePoor));
    expect(Math.max(...poor)).toBe(0);
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
