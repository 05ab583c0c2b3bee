/** Whatever happens to engine and agents: what is stored is the fold of what was seen, each attempt once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PingReply } from '../../../engine/core/ping/outcome.ts';
import { resumePing } from '../../../engine/core/ping/resume.ts';
import type { PingState } from '../../../engine/core/ping/state.ts';
import { stepPing } from '../../../engine/core/ping/step.ts';
import type { PingQuestion } from '../../../engine/ping/client.ts';
import type { PingResult, PingStore } from '../../../engine/store/ping-store.ts';
import { answer, GONE, historyOf, MINUTE, openWorld, SECOND, storedState, type World } from './service-fixtures.ts';

const IDS = ['a', 'b', 'c'];
const NEVER = new AbortController().signal;

type Behaviour = (question: PingQuestion) => PingReply;

const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }).map((uptime) => (question: PingQuestion) => answer(question, uptime)),
  fc.constantFrom<Behaviour>(
    (question) => answer(question),
    (question) => answer(question, 1, { bootId: 'boot-2', continuity: 'history_lost' }),
    (question) => answer(question, 1, { isGpuAvailable: false, reason: 'fell off the bus' }),
    () => GONE,
    () => ({ kind: 'invalid', reason: 'not JSON' }),
    () => ({ kind: 'refused', reason: 'busy', retryAfterMs: 20 * SECOND }),
  ),
);

type Happening =
  | { readonly kind: 'time'; readonly ms: number }
  /** Stopped and begun anew; killed: without a chance to write what is in flight. */
  | { readonly kind: 'restart' | 'kill'; readonly awayMs: number }
  | { readonly kind: 'ping'; readonly id: string };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 40 * MINUTE }) }),
  },
  fc.record({
    kind: fc.constantFrom('restart' as const, 'kill' as const),
    awayMs: fc.integer({ min: 0, max: 20 * SECOND }),
  }),
  fc.record({ kind: fc.constant('ping' as const), id: fc.constantFrom(...IDS) }),
);

interface Attempt {
  readonly atMs: number;
  readonly endedAtMs: number;
  readonly reply: PingReply;
}

interface Told {
  readonly result: PingResult;
  readonly atMs: number;
}

/** The store, with what it was told and kept, until it is killed. */
function listening({ pings, time }: World) {
  const kept: Told[] = [];
  const life = { isOver: false };
  const record: PingStore['record'] = async (results) => {
    if (life.isOver) throw new Error('killed');
    const outcomes = await pings.record(results);
    for (const [at, result] of results.entries()) if (outcomes[at] === 'kept') kept.push({ result, atMs: time.now() });
    return outcomes;
  };
  return { store: { ...pings, record }, kept, life };
}

async function live(happenings: readonly Happening[], behaviours: readonly Behaviour[]) {
  const attempts = new Map<string, Attempt[]>();
  const world = await openWorld({
    agents: IDS,
    policy: { suspect: { maxShare: 0.5, windowMs: MINUTE, minAgents: 1000, stretch: 2 }, firstPingGracePeriod: false },
    ports: { timing: { pollMs: 2 * SECOND, beatMs: 5 * SECOND } },
    say: (id, question, atMs) => {
      const mine = attempts.get(id) ?? [];
      const reply = behaviours[(mine.length + id.length) % behaviours.length]?.(question) ?? GONE;
      const tookMs = 100 + 700 * (mine.length % 3);
      attempts.set(id, [...mine, { atMs, endedAtMs: atMs + tookMs, reply }]);
      return { reply, tookMs };
    },
  });
  const first = new Map(await Promise.all(IDS.map(async (id) => [id, await storedState(world, id)] as const)));
  const { store, kept, life } = listening(world);
  let running = await world.start({ pings: store });
  for (const event of happenings) {
    if (event.kind === 'time') await world.time.advance(event.ms);
    else if (event.kind === 'ping') void running.service.pingNow(event.id, NEVER).catch(() => undefined);
    else {
      life.isOver = event.kind === 'kill';
      await running.stop();
      life.isOver = false;
      world.time.suspend(event.awayMs);
      running = await world.start({ pings: store });
    }
  }
  await running.stop();
  return { world, attempts, first, kept };
}

describe('for any life of engine and agents', () => {
  it('stored states and history are the fold of the attempts that were applied, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { minLength: 1, maxLength: 12 }),
        fc.array(behaviour, { minLength: 1, maxLength: 8 }),
        async (happenings, behaviours) => {
          const { world, attempts, first, kept } = await live(happenings, behaviours);
          for (const id of IDS) {
            const policy = world.inForce.policy;
            let state = first.get(id) as PingState;
            const records: unknown[] = [];
            for (const { result, atMs } of kept.filter(({ result: { agentId } }) => agentId === id)) {
              const attempt = attempts.get(id)?.find(({ endedAtMs, atMs: begunMs }) => {
                return (
                  result.state.lastAttemptAtMs === begunMs && begunMs !== state.lastAttemptAtMs && endedAtMs <= atMs
                );
              });
              const told =
                attempt &&
                stepPing(policy, state, {
                  agentId: id,
                  observed: undefined,
                  isSuspect: false,
                  outageMs: 0,
                  ...attempt,
                });
              const planned = [state, resumePing(policy, { agentId: id, state, nowMs: atMs })];
              expect(told === undefined ? planned : [told.state]).toContainEqual(result.state);
              if (told?.record !== undefined) records.push(told.record);
              expect(result.record).toEqual(told?.record);
              state = result.state;
            }
            expect(await storedState(world, id)).toEqual(state);
            expect(await historyOf(world, id)).toEqual(records);
            expect(state.pings).toBe(records.length);
          }
          expect(world.fleet.mostOfOne).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);
});
