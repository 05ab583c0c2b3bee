/** PostgreSQL and SQLite give the same answers, whatever is asked of them in whatever order. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Keeping } from '../../../engine/store/agent-store.ts';
import { type Claim, MAX_CLOCK_SKEW_MS, type PingResult } from '../../../engine/store/ping-store.ts';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { anyRecord, anyState } from './any-ping.ts';
import { anAgent, type PingStores } from './ping-fixtures.ts';
import { describePostgres, openStore } from './postgres-fixtures.ts';

const IDS = ['a', 'B', 'a-1', 'é', '\u{1f600}', '\uffee'];
const MAX_AGENTS = 5;
const DAY_MS = 86_400_000;

/** One engine's view of a store: versions differ between stores, so claims are remembered by the order they were given in. */
interface Side extends PingStores {
  readonly claims: Claim[];
}

type Step = (side: Side) => Promise<unknown>;

const id = fc.constantFrom(...IDS);
const instant = fc.integer({ min: 0, max: 3 * DAY_MS });
const lease = fc.constantFrom(0, 1, 30_000, DAY_MS, 2 * MAX_CLOCK_SKEW_MS);
const limit = fc.integer({ min: 1, max: 8 });
// Few enough that agents meet with what others have, or gave up.
const facts = fc.record({
  url: fc.constantFrom('http://one', 'http://two', 'http://three', 'http://four', 'http://five'),
  gpu: fc.constantFrom(undefined, undefined, 'GPU-1', 'GPU-2'),
});
type Facts = typeof facts extends fc.Arbitrary<infer T> ? T : never;
const keeping = fc.record({ untilMs: instant, most: fc.integer({ min: 0, max: 12 }) });

/** Whom of two that are due at the same instant a store takes first is its own business. */
function dueOf(who: string, atMs: number): number {
  return atMs + IDS.indexOf(who) / 8;
}

// Sums of halves are exact in any order.
const record = fc.record({
  ping: anyRecord,
  atMs: instant,
  halves: fc.option(fc.nat({ max: 9999 }), { nil: undefined }),
});
const result = fc.record({
  claim: fc.nat(),
  state: anyState,
  dueMs: instant,
  record: fc.option(record, { nil: undefined }),
});
type AnyResult = typeof result extends fc.Arbitrary<infer T> ? T : never;

const step: fc.Arbitrary<Step> = fc.oneof(
  kind('add', 6, fc.tuple(id, facts, instant, anyState), add),
  kind('change', 3, fc.tuple(id, facts, instant, keeping), change),
  kind('remove', 3, fc.tuple(id, fc.boolean(), keeping), remove),
  kind(
    'forgetDeparted',
    1,
    fc.tuple(instant, limit),
    (nowMs, most) => (side) => side.agents.forgetDeparted(nowMs, most),
  ),
  kind(
    'list',
    1,
    fc.tuple(fc.option(id, { nil: undefined }), limit),
    (after, most) => (side) => side.agents.list(after, most),
  ),
  kind('find', 1, fc.tuple(id), (who) => (side) => side.agents.find(who)),
  kind('claimDue', 4, fc.tuple(instant, limit, lease), claimDue),
  kind('claim', 3, fc.tuple(id, instant, lease), claim),
  kind('record', 6, fc.tuple(fc.array(result, { maxLength: 4 })), recordAll),
  kind('history', 3, fc.tuple(id, instant, instant, limit), history),
  kind('totals', 1, fc.tuple(instant), (fromMs) => (side) => side.pings.totals(fromMs)),
  kind('trim', 1, fc.tuple(instant), (beforeMs) => (side) => side.pings.trim(beforeMs, 1000)),
);

/** A counterexample reads as the calls that lead to it. */
function kind<T extends readonly unknown[]>(
  name: string,
  weight: number,
  args: fc.Arbitrary<T>,
  stepOf: (...args: T) => Step,
) {
  const arbitrary = args.map((given) =>
    Object.assign(stepOf(...given), { [fc.toStringMethod]: () => `${name}(${fc.stringify(given).slice(1, -1)})` }),
  );
  return { weight, arbitrary };
}

function add(who: string, said: Facts, dueMs: number, state: PingResult['state']): Step {
  const agent = anAgent(who, { ...said, registeredAtMs: dueMs });
  const first = { ...state, nextDueAtMs: dueOf(who, dueMs) };
  return ({ agents }) => agents.add({ agent, tokenHash: hashOf(who), state: first }, MAX_AGENTS);
}

function change(who: string, said: Facts, nowMs: number, kept: Keeping): Step {
  const agent = anAgent(who, { ...said, updatedAtMs: nowMs });
  return ({ agents }) => agents.change(agent, hashOf(who), kept);
}

function remove(who: string, isOwner: boolean, kept: Keeping): Step {
  return ({ agents }) => (isOwner ? agents.remove(who, hashOf(who), kept) : agents.remove(who, undefined));
}

function hashOf(who: string): string {
  return `hash of ${who}`;
}

function claimDue(nowMs: number, most: number, leaseMs: number): Step {
  return async ({ pings, claims }) => {
    const given = await pings.claimDue(nowMs, most, leaseMs);
    claims.push(...given);
    return given.map(withoutVersion);
  };
}

function claim(who: string, nowMs: number, leaseMs: number): Step {
  return async ({ pings, claims }) => {
    const given = await pings.claim(who, nowMs, leaseMs);
    if (given !== undefined) claims.push(given);
    return given && withoutVersion(given);
  };
}

function recordAll(results: readonly AnyResult[]): Step {
  return async ({ pings, claims }) => {
    if (claims.length === 0) return [];
    const written = results.flatMap(({ claim: nth, state, dueMs, record: decided }): PingResult[] => {
      const { agent, version } = claims[nth % claims.length] ?? {};
      if (agent === undefined || version === undefined) return [];
      const roundTripMs = decided?.halves === undefined ? undefined : decided.halves / 2;
      const ping = decided && {
        ...decided.ping,
        agentId: agent.id,
        atMs: decided.atMs,
        sequence: claims.length,
        roundTripMs,
      };
      return [{ agentId: agent.id, version, state: { ...state, nextDueAtMs: dueOf(agent.id, dueMs) }, record: ping }];
    });
    return pings.record(written);
  };
}

function history(agentId: string, fromMs: number, toMs: number, most: number): Step {
  return async ({ pings }) => {
    const query = { agentId, fromMs, toMs, before: undefined, limit: most };
    const first = await pings.history(query);
    return [first, await pings.history({ ...query, before: first.at(-1) })];
  };
}

function withoutVersion({ version, ...rest }: Claim) {
  return rest;
}

async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => ({ value }),
    () => 'rejected',
  );
}

describePostgres('PostgreSQL and SQLite', (server) => {
  it('give the same answers to the same questions', { timeout: 120_000 }, async () => {
    const url = await server().createDatabase();
    const postgres = await openStore(url);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), async (steps) => {
        await server().run(
          'TRUNCATE gpu_uptime.agent, gpu_uptime.ping_state, gpu_uptime.ping, gpu_uptime.ping_total, gpu_uptime.departed',
          url,
        );
        const { store, ...sqlite } = openSqliteStore(':memory:');
        const sides: readonly Side[] = [
          { ...sqlite, claims: [] },
          { ...postgres, claims: [] },
        ];
        try {
          for (const take of steps) {
            const [expected, given] = await Promise.all(sides.map((side) => outcomeOf(take(side))));
            expect(given).toEqual(expected);
          }
        } finally {
          await store.close();
        }
      }),
      { numRuns: 100 },
    );
  });
});
