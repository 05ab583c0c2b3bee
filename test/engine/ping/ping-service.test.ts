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
} from './service-fixtures.ts';

/** Days pass in seconds: an agent that is due waits a little longer. */
const UNHURRIED = { pollMs: 20 * SECOND, beatMs: 20 * SECOND };

const NEVER = new AbortController().signal;

/** One share of uptime after the other, the last one for ever. */
function playing(...uptimes: readonly number[]): Agents {
  let asked = 0;
  return (_, question) => {
    const uptime = uptimes[Math.min(asked, uptimes.length - 1)];
    asked += 1;
    return { reply: answer(question, uptime), tookMs: 5 };
  };
}

describe('the ladder of the guide', () => {
  it('doubles from 15 minutes to 24 hours with poor pings, and is back at 15 minutes after three good ones', async () => {
    const world = await openWorld({ say: playing(1, ...Array(8).fill(0.5), 1), ports: { timing: UNHURRIED } });
    await world.start();
    await world.time.advance(4.34 * DAY);
    const rows = (await historyOf(world)).map(({ outcome, consecutivePoor, intervalMs, atMs }) => [
      outcome,
      consecutivePoor,
      intervalMs / MINUTE,
      Math.round((atMs - START_MS) / MINUTE),
    ]);
    // Agent, steps up, interval and instant in minutes; the second ping is a little early, to be on the agent's phase.
    expect(rows).toEqual([
      ['good', 0, 15, 0],
      ['poor', 1, 30, 14],
      ['poor', 2, 60, 44],
      ['poor', 3, 120, 104],
      ['poor', 4, 240, 224],
      ['poor', 5, 480, 464],
      ['poor', 6, 960, 944],
      ['poor', 7, 1440, 1904],
      ['poor', 7, 1440, 3344],
      ['good', 6, 960, 4784],
      ['good', 5, 480, 5744],
      ['good', 0, 15, 6224],
      ['good', 0, 15, 6239],
    ]);
    expect(newsIn(world.log)).toEqual([...Array(7).fill('a agent escalated'), 'a agent recovered']);
  });

  it('confirms that an agent is gone before that counts, and says so in one line', async () => {
    const world = await openWorld({ say: () => ({ reply: GONE, tookMs: 5 }), policy: { firstPingGracePeriod: false } });
    await world.start();
    await world.time.advance(MINUTE);
    expect(world.fleet.asked.map(({ atMs }) => Math.floor((atMs - START_MS) / SECOND))).toEqual([0, 2, 6, 15]);
    expect(await historyOf(world)).toMatchObject([
      { outcome: 'unreachable', consecutivePoor: 1, intervalMs: 30 * MINUTE },
    ]);
    expect(world.log.lines.map(({ level, text }) => `${level} ${text}`)).toEqual([
      ...Array(3).fill('debug agent fails and is asked again'),
      'info agent escalated',
    ]);
  });
});

describe('pingNow', () => {
  it('pings an agent that is due, tells everything, and keeps it', async () => {
    const world = await openWorld();
    const { service } = await world.start({ isScheduling: false });
    const pinged = service.pingNow('a', NEVER);
    await world.time.advance(SECOND);
    const state = await storedState(world);
    expect(await pinged).toEqual({
      kind: 'pinged',
      agent: service.registry.get('a')?.agent,
      state,
      reply: expect.objectContaining({ kind: 'answered' }),
      record: (await historyOf(world))[0],
      events: [],
    });
    expect([state.pings, state.lastOutcome]).toEqual([1, 'good']);
    expect(service.registry.get('a')?.state).toEqual(state);
  });

  it('shows what an early ping finds, and changes nothing', async () => {
    const world = await openWorld();
    const { service } = await world.start();
    await world.time.advance(MINUTE);
    const before = await storedState(world);
    const pinged = service.pingNow('a', NEVER);
    await world.time.advance(SECOND);
    expect(await pinged).toMatchObject({
      kind: 'pinged',
      record: undefined,
      events: [{ kind: 'early' }],
      state: before,
    });
    expect(await storedState(world)).toEqual(before);
    expect(await historyOf(world)).toHaveLength(1);
  });

  it('finds the agent busy, unknown, removed meanwhile, or the engine stopping', async () => {
    const world = await openWorld({
      agents: ['a', 'b'],
      say: (_, question) => ({ reply: answer(question), tookMs: SECOND }),
    });
    const { service, stop } = await world.start({ isScheduling: false });
    const [first, second, third] = [
      service.pingNow('a', NEVER),
      service.pingNow('a', NEVER),
      service.pingNow('x', NEVER),
    ];
    const removed = service.pingNow('b', NEVER);
    await world.time.advance(500);
    await service.registry.remove('b', 'operator');
    await world.time.advance(SECOND);
    expect([await first, await second, await third, await removed].map(({ kind }) => kind)).toEqual([
      'pinged',
      'busy',
      'unknown',
      'unknown',
    ]);
    const late = service.pingNow('a', NEVER);
    await stop();
    expect([await late, await service.pingNow('a', NEVER)]).toEqual([{ kind: 'stopped' }, { kind: 'stopped' }]);
  });

  it('gives up with whoever asked, and the agent is free again', async () => {
    const world = await openWorld({ say: (_, question) => ({ reply: answer(question), tookMs: 9 * SECOND }) });
    const { service } = await world.start({ isScheduling: false });
    const gone = new AbortController();
    const before = await storedState(world);
    const given = service.pingNow('a', gone.signal);
    await world.time.advance(SECOND);
    gone.abort();
    await world.time.advance(SECOND);
    expect(await given).toEqual({ kind: 'stopped' });
    expect(await storedState(world)).toEqual(before);
    expect(await world.pings.claim('a', world.time.now(), HOUR)).toMatchObject({ agent: { id: 'a' } });
  });
});

describe('stopping', () => {
  it('ends pings in flight at once, leaves every agent free and as it was, and nobody asleep', async () => {
    const ids = ['a', 'b', 'c'];
    const world = await openWorld({ agents: ids, say: (_, question) => ({ reply: answer(question), tookMs: HOUR }) });
    const before = await Promise.all(ids.map((id) => storedState(world, id)));
    const { service, stop } = await world.start();
    await world.time.advance(SECOND);
    expect(service.stats().inFlight).toBe(3);
    await stop();
    expect([service.stats().inFlight, world.time.sleepers]).toEqual([0, 0]);
    expect(await Promise.all(ids.map((id) => storedState(world, id)))).toEqual(before);
    expect(await world.pings.claimDue(world.time.now(), 10, HOUR)).toHaveLength(3);
    expect(await world.store.list('ping_watch')).toMatchObject([
      { key: 'engine', value: { lastMs: START_MS + SECOND } },
    ]);
  });

  it('leaves everything to others when it was stopped before it began', async () => {
    const world = await openWorld();
    const { service, stop } = await world.start();
    await stop();
    await world.time.advance(HOUR);
    expect(world.fleet.asked.length).toBeLessThanOrEqual(1);
    expect(service.stats().inFlight).toBe(0);
  });
});

describe('stats', () => {
  it('count attempts, decisions and how late pings began', async () => {
    const say: Agents = (id, question) => ({ reply: id === 'b' ? GONE : answer(question), tookMs: 5 });
    const world = await openWorld({ agents: ['a', 'b'], say });
    const { service } = await world.start();
    expect(service.stats()).toMatchObject({ isScheduling: true, lagMs: undefined, worstLagMs: undefined, lagSumMs: 0 });
    await world.time.advance(30 * SECOND);
    const stats = service.stats();
    expect(stats).toMatchObject({
      inFlight: 0,
      waiting: 0,
      attempts: { answered: 1, unreachable: 4, refused: 0, invalid: 0, forbidden: 0 },
      decided: { good: 1, poor: 0, no_gpu: 0, unreachable: 1, refused: 0, invalid: 0, unobserved: 0 },
      isSuspect: false,
      withoutEvidence: 0,
      saveFailures: 0,
    });
    expect(stats.lagBuckets.at(-1)).toEqual({ leMs: Number.POSITIVE_INFINITY, count: 5 });
    expect(stats.worstLagMs).toBeGreaterThanOrEqual(stats.lagMs ?? Number.NaN);
    expect(stats.worstLagMs).toBeLessThanOrEqual(250);
    await world.time.advance(61 * SECOND);
    expect(service.stats().worstLagMs).toBeUndefined();
  });

  it('count who is waiting, whoever is to ping them', async () => {
    const world = await openWorld({ agents: ['a', 'b', 'c'] });
    const { service } = await world.start({ isScheduling: false });
    await world.time.advance(HOUR);
    expect(service.stats()).toMatchObject({ isScheduling: false, waiting: 3, inFlight: 0 });
    expect(world.fleet.asked).toEqual([]);
  });
});

describe('history', () => {
  it('is kept as long as the policy says, and forgotten in steps', async () => {
    const world = await openWorld({
      policy: { historyMs: HOUR, baseIntervalMs: MINUTE },
      ports: { timing: { ...UNHURRIED, trimMs: 10 * MINUTE } },
    });
    const limits: number[] = [];
    const { trim } = world.pings;
    const pings = {
      ...world.pings,
      trim: (beforeMs: number, limit: number) => {
        limits.push(limit);
        return trim(beforeMs, limit);
      },
    };
    const { service } = await world.start({ pings });
    await world.time.advance(3 * HOUR + 5 * MINUTE);
    const query = { agentId: 'a', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, before: undefined, limit: 1000 };
    const kept = await service.history(query);
    expect(Math.max(...limits)).toBeLessThanOrEqual(500);
    expect(kept.length).toBeGreaterThan(60);
    expect(Math.min(...kept.map(({ atMs }) => atMs))).toBeGreaterThan(START_MS + HOUR);
    expect((await service.totals(0)).every(({ hourMs }) => hourMs >= START_MS + HOUR)).toBe(true);
  });

  it('goes with what is remembered of departed agents, when the time of those is over', async () => {
    const world = await openWorld({ ports: { timing: { ...UNHURRIED, trimMs: 10 * MINUTE } } });
    for (const [id, untilMs] of Object.entries({ b: START_MS + HOUR, c: START_MS + DAY })) {
      await world.agents.add(newAgent(id, START_MS), 10);
      await world.agents.remove(id, `hash of ${id}`, { untilMs, most: 100 });
    }
    await world.start();
    await world.time.advance(HOUR + 15 * MINUTE);
    // An id and a URL.
    expect(await world.agents.forgetDeparted(START_MS + 2 * DAY, 100)).toBe(2);
  });
});
