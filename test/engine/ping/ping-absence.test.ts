/** What the engine missed, and clocks that are set: nobody pays, nothing fires at once, nothing waits for ever. */
import { describe, expect, it } from 'vitest';
import type { Pings } from '../../../engine/ping/pings.ts';
import { START_MS } from '../store/ping-fixtures.ts';
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

const IDS = Array.from({ length: 200 }, (_, at) => `agent-${at}`);
/** As after some pings: over the whole interval. */
const FLEET = {
  agents: IDS,
  ports: { timing: { pollMs: SECOND } },
  dueAtMs: (at: number) => START_MS + 1 + (at * 15 * MINUTE) / IDS.length,
};

/** Agents that lost as much of their own time as the engine was away for. */
function away(ms: number): Agents {
  return (_, question, nowMs) => {
    const spanMs = nowMs - (question.spanFromMs ?? nowMs);
    return { reply: answer(question, spanMs > ms ? (spanMs - ms) / spanMs : 1), tookMs: 5 };
  };
}

/** How many pings began in each minute since then, of those after the first `known`. */
function perMinute({ fleet }: World, sinceMs: number, known: number): readonly number[] {
  const counts: number[] = [];
  for (const { atMs } of fleet.asked.slice(known)) {
    const minute = Math.floor((atMs - sinceMs) / MINUTE);
    counts[minute] = (counts[minute] ?? 0) + 1;
  }
  return Array.from(counts, (count) => count ?? 0);
}

async function expectNobodyPaid(world: World, ids: readonly string[] = IDS): Promise<void> {
  for (const id of ids) {
    const { consecutivePoor, intervalMs, pings } = await storedState(world, id);
    expect([id, consecutivePoor, intervalMs]).toEqual([id, 0, 15 * MINUTE]);
    expect(pings).toBeGreaterThan(1);
  }
}

function settled(service: Pings): readonly unknown[] {
  const { saveFailures, isSuspect } = service.stats();
  return [saveFailures, isSuspect];
}

/** Each agent's next ping is soon enough: no later than a whole interval, moved towards its phase. */
async function expectNobodyWaits(world: World): Promise<void> {
  for (const id of IDS) {
    const { nextDueAtMs } = await storedState(world, id);
    expect(nextDueAtMs - world.time.now()).toBeLessThan(17 * MINUTE);
  }
}

describe('an engine that was down for an hour', () => {
  it('spreads what fell due over five minutes, and holds what it missed against nobody', async () => {
    const world = await openWorld(FLEET);
    const first = await world.start();
    await world.time.advance(20 * MINUTE);
    await first.stop();
    world.time.suspend(HOUR);
    world.fleet.say = away(50 * MINUTE);
    const [backMs, known] = [world.time.now(), world.fleet.asked.length];
    const { service } = await world.start();
    await world.time.advance(20 * MINUTE);
    const asked = world.fleet.asked.slice(known).filter(({ atMs }) => atMs <= backMs + 5 * MINUTE + 2 * SECOND);
    expect(asked.map(({ agentId }) => agentId).toSorted()).toEqual(IDS.toSorted());
    const counts = perMinute(world, backMs, known).slice(0, 5);
    expect(Math.min(...counts)).toBeGreaterThan(20);
    expect(Math.max(...counts)).toBeLessThan(60);
    await expectNobodyPaid(world);
    expect(settled(service)).toEqual([0, false]);
    expect((await historyOf(world, 'agent-0')).map(({ outcome }) => outcome)).toContain('unobserved');
  });

  it('lets agents pay for what they missed while it was there', async () => {
    const world = await openWorld({ agents: ['a'] });
    const first = await world.start();
    await world.time.advance(MINUTE);
    await first.stop();
    world.time.suspend(5 * SECOND);
    world.fleet.say = away(5 * MINUTE);
    await world.start();
    await world.time.advance(16 * MINUTE);
    expect((await storedState(world)).consecutivePoor).toBe(1);
  });

  it('has its own outage forgotten only when it was damaged in the store, and says so', async () => {
    const world = await openWorld();
    await world.store.write('ping_watch', { put: [{ key: 'engine', value: { lastMs: 'soon' } }] });
    await world.start();
    await world.time.advance(MINUTE);
    expect(newsIn(world.log)).toEqual([expect.stringContaining('what was saved of it is damaged')]);
    expect(await historyOf(world)).toHaveLength(1);
  });
});

describe('a process that was stopped for an hour', () => {
  it('does not take its own silence for that of agents, and pings them again soon but not all at once', async () => {
    const slow: Agents = (_, question) => ({ reply: answer(question), tookMs: 4 * SECOND });
    const world = await openWorld({ ...FLEET, say: slow });
    const { service } = await world.start();
    await world.time.advance(20 * MINUTE);
    // Somebody is always in flight when most of the fleet is due.
    while (service.stats().inFlight < 2) await world.time.advance(SECOND);
    world.fleet.say = () => ({ reply: GONE, tookMs: 0 });
    world.time.suspend(HOUR);
    world.fleet.say = away(55 * MINUTE);
    const [backMs, known] = [world.time.now(), world.fleet.asked.length];
    await world.time.advance(40 * MINUTE);
    expect(Math.max(...perMinute(world, backMs, known))).toBeLessThan(60);
    await expectNobodyPaid(world);
  });

  it('takes a failure that ends after it for no word on the agent', async () => {
    const world = await openWorld({
      say: () => ({ reply: GONE, tookMs: 8 * SECOND }),
      policy: { confirmMs: [], firstPingGracePeriod: false },
    });
    await world.start();
    await world.time.advance(SECOND);
    world.time.suspend(20 * SECOND);
    await world.time.advance(SECOND);
    expect(await historyOf(world)).toMatchObject([{ outcome: 'unobserved', consecutivePoor: 0 }]);
  });
});

describe('a clock that is set', () => {
  it.each([
    ['back by two hours', -2 * HOUR],
    ['back by three minutes', -3 * MINUTE],
    ['ahead by two hours', 2 * HOUR],
    ['ahead by two years', 730 * DAY],
  ])('%s: nobody pays, waits for ever, or is pinged with all others', async (_, byMs) => {
    // It was up all the time, of which it has seen less than the span seems to be.
    const say: Agents = (_id, question, nowMs) => {
      const spanMs = nowMs - (question.spanFromMs ?? nowMs);
      return { reply: answer(question, spanMs > byMs && byMs > 0 ? (spanMs - byMs) / spanMs : 1), tookMs: 2 * SECOND };
    };
    const world = await openWorld({ ...FLEET, say });
    await world.start();
    await world.time.advance(25 * MINUTE);
    world.time.set(world.time.now() + byMs);
    const [setMs, known] = [world.time.now(), world.fleet.asked.length];
    await world.time.advance(SECOND);
    await expectNobodyWaits(world);
    await world.time.advance(40 * MINUTE);
    const counts = perMinute(world, setMs, known);
    expect(Math.max(...counts.slice(0, 10))).toBeLessThan(60);
    expect(Math.max(...counts)).toBeLessThan(100);
    await expectNobodyPaid(world);
    expect(world.fleet.mostOfOne).toBe(1);
    expect(newsIn(world.log)).toContain('the clock was set: all pings are planned anew');
  });

  it('does not call those liars that have watched longer than the clock says', async () => {
    const spans: (number | undefined)[] = [];
    const say: Agents = (_, question) => {
      spans.push(question.spanFromMs);
      return { reply: answer(question), tookMs: 5 };
    };
    const world = await openWorld({ say });
    await world.start();
    await world.time.advance(5 * MINUTE);
    world.time.set(world.time.now() - 3 * MINUTE);
    await world.time.advance(40 * MINUTE);
    expect(spans.map((span) => span === undefined)).toEqual([true, true, false]);
  });

  it('is found out at the start, too', async () => {
    const world = await openWorld(FLEET);
    const first = await world.start();
    await world.time.advance(20 * MINUTE);
    await first.stop();
    world.time.set(START_MS - 5 * HOUR);
    await world.start();
    await world.time.advance(SECOND);
    await expectNobodyWaits(world);
    await world.time.advance(30 * MINUTE);
    await expectNobodyPaid(world);
  });

  it('ahead and back again leaves nothing behind', async () => {
    const world = await openWorld(FLEET);
    await world.start();
    await world.time.advance(20 * MINUTE);
    world.time.set(world.time.now() + 400 * DAY);
    await world.time.advance(2 * MINUTE);
    world.time.set(world.time.now() - 400 * DAY);
    await world.time.advance(SECOND);
    await expectNobodyWaits(world);
    await world.time.advance(30 * MINUTE);
    await expectNobodyPaid(world);
  });
});
