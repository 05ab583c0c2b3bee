/** Results of somebody else's pings. */
import { describe, expect, it } from 'vitest';
import type { HandedIn } from '../../../engine/ping/pings.ts';
import { START_MS } from '../store/ping-fixtures.ts';
import { answerBody } from './answer-body.ts';
import {
  DAY,
  HOUR,
  historyOf,
  MINUTE,
  newsIn,
  openWorld,
  SECOND,
  storedState,
  type World,
} from './service-fixtures.ts';

const NEVER = new AbortController().signal;

function answered(atMs: number, change: object = {}): HandedIn {
  const body = { ...answerBody(), agent_id: 'a', ...change };
  return { atMs, endedAtMs: atMs + 20, brought: { kind: 'answer', text: JSON.stringify(body), roundTripMs: 15 } };
}

const first = {
  seq: 100,
  since: 100,
  first_ping: true,
  total_checks: 0,
  available_checks: 0,
  span_seconds: 0,
  available_seconds: 0,
};

/** An engine that leaves pings to others, and the first ping of the agent. */
async function openJudging(options = {}) {
  const world = await openWorld(options);
  const { service } = await world.start({ isScheduling: false });
  await world.time.advance(SECOND);
  const handIn = async (handedIn: HandedIn, agentId = 'a') => {
    const pinged = service.handIn(agentId, handedIn, NEVER);
    await world.time.advance(SECOND);
    return pinged;
  };
  return { world, service, handIn };
}

/** When the agent is due next. */
async function waitUntilDue(world: World): Promise<number> {
  const { nextDueAtMs } = await storedState(world);
  await world.time.advance(nextDueAtMs - world.time.now() + MINUTE);
  return nextDueAtMs;
}

describe('handIn', () => {
  it('judges the result as one of its own, by when it was made', async () => {
    const { world, handIn } = await openJudging();
    const atMs = START_MS + 100;
    expect(await handIn(answered(atMs, first))).toMatchObject({
      kind: 'pinged',
      reply: { kind: 'answered', answer: { bootId: 'boot-1', seq: 100 }, roundTripMs: 15 },
      record: { atMs, outcome: 'good', roundTripMs: 15 },
    });
    const dueAtMs = await waitUntilDue(world);
    const poor = {
      uptime_percentage: 50,
      proven_uptime_percentage: 50,
      available_checks: 90,
      available_seconds: 450,
      unavailable_seconds: 450,
    };
    expect(await handIn(answered(dueAtMs, poor))).toMatchObject({
      kind: 'pinged',
      record: { atMs: dueAtMs, outcome: 'poor', uptime: 0.5 },
      events: [{ kind: 'escalated', fromMs: 15 * MINUTE, toMs: 30 * MINUTE }],
    });
    expect(await historyOf(world)).toHaveLength(2);
    expect(newsIn(world.log)).toEqual(['a agent escalated']);
  });

  it('takes the same result once, and an older one never, which it logs', async () => {
    const { world, handIn } = await openJudging();
    const atMs = START_MS + 100;
    await handIn(answered(atMs, first));
    const state = await storedState(world);
    expect(await handIn(answered(atMs, first))).toMatchObject({ kind: 'duplicate', state });
    expect(await handIn(answered(atMs - 50, first))).toMatchObject({ kind: 'late', newestAtMs: atMs, state });
    expect(await storedState(world)).toEqual(state);
    expect(await historyOf(world)).toHaveLength(1);
    expect(newsIn(world.log)).toEqual(['a result came late and changes nothing']);
    expect(await world.pings.claim('a', world.time.now(), HOUR)).toBeDefined();
  });

  it('shows what an early result finds, which does not count', async () => {
    const { world, handIn } = await openJudging();
    await handIn(answered(START_MS + 100, first));
    expect(await handIn(answered(START_MS + 500))).toMatchObject({
      kind: 'pinged',
      record: undefined,
      events: [{ kind: 'early' }],
    });
    expect(await historyOf(world)).toHaveLength(1);
  });

  it.each([
    [
      'it ended before it began',
      { atMs: START_MS + 500, endedAtMs: START_MS + 400 },
      'it ended before it began: send the instants in the order they came',
    ],
    [
      'it lies in the future',
      { atMs: START_MS + HOUR, endedAtMs: START_MS + HOUR },
      'it lies 3599 s in the future: compare the clocks of pinger and engine',
    ],
    [
      'it ends in the future',
      { atMs: START_MS, endedAtMs: START_MS + DAY },
      'it lies 86399 s in the future: compare the clocks of pinger and engine',
    ],
    [
      'nobody knew the agent then',
      { atMs: START_MS - HOUR, endedAtMs: START_MS },
      'it began 3600 s before the agent was registered: compare the clocks of pinger and engine',
    ],
    [
      'its instant is no number',
      { atMs: Number.NaN, endedAtMs: Number.NaN },
      'it ended before it began: send the instants in the order they came',
    ],
  ])('refuses what cannot be: %s', async (_, instants, reason) => {
    const { world, handIn } = await openJudging();
    const before = await storedState(world);
    expect(await handIn({ ...answered(START_MS, first), ...instants })).toMatchObject({ kind: 'invalid', reason });
    expect(await storedState(world)).toEqual(before);
  });

  it.each([
    [
      'what is no answer',
      { brought: { kind: 'answer', text: '<html>', roundTripMs: 1 } },
      'it answers what is not JSON: "<html>"',
    ],
    ['a failure', { brought: { kind: 'unreachable', reason: 'no route to host' } }, 'no route to host'],
  ] as const)('counts %s as a failure, which is confirmed first', async (_, brought, reason) => {
    const { handIn } = await openJudging();
    expect(await handIn({ ...answered(START_MS + 100), ...brought })).toMatchObject({
      kind: 'pinged',
      reply: { reason },
      record: undefined,
      events: [{ kind: 'retry', attempts: 1 }],
    });
  });

  it('believes Prometheus about the span, too', async () => {
    const asked: unknown[] = [];
    const { world, handIn } = await openJudging({
      policy: { evidence: 'both' },
      ports: {
        observe: async (span: unknown) => {
          asked.push(span);
          return { uptime: 0.4, coverage: 1 };
        },
      },
    });
    const atMs = START_MS + 100;
    await handIn(answered(atMs, first));
    const dueAtMs = await waitUntilDue(world);
    expect(await handIn(answered(dueAtMs))).toMatchObject({ record: { outcome: 'poor', uptime: 0.4 } });
    expect(asked).toEqual([{ fromMs: atMs, toMs: dueAtMs }]);
  });

  it('waits for nobody who pings the agent himself, and knows only who is registered', async () => {
    const { world, handIn } = await openJudging();
    await world.pings.claim('a', world.time.now(), MINUTE);
    expect(await handIn(answered(START_MS + 100, first))).toMatchObject({ kind: 'busy' });
    expect(await handIn(answered(START_MS + 100, first), 'nobody')).toEqual({ kind: 'unknown' });
  });
});
