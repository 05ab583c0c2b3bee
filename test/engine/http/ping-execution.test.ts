import { describe, expect, it } from 'vitest';
import type { Pinged } from '../../../engine/ping/pings.ts';
import { PingStoreError } from '../../../engine/ping/store-health.ts';
import { StoreError } from '../../../engine/store/store-error.ts';
import { answered, claim, INVALID, NO_GPU, refused, UNREACHABLE, UP } from '../core/ping/fixtures.ts';
import { registered } from '../ping/registry-fixtures.ts';
import { goodPing, START_MS } from '../store/ping-fixtures.ts';
import { type PingServing, servePings } from './ping-serving.ts';

const PING = 'POST /ping-system/agents/agent-001/ping';
const HISTORY = 'GET /ping-system/agents/agent-001/history';

/** One agent, whose first ping is due now. */
async function oneAgent(): Promise<PingServing> {
  const serving = await servePings();
  await registered(serving.registry);
  serving.clock.nowMs = dueAtMs(serving);
  return serving;
}

function dueAtMs({ registry }: PingServing): number {
  return registry.get('agent-001')?.state.nextDueAtMs ?? 0;
}

/** Good and answered, so that the next ping is about a span. */
async function pinged(): Promise<PingServing> {
  const serving = await oneAgent();
  serving.fake.answer = UP;
  await serving.ask(PING);
  serving.clock.nowMs = dueAtMs(serving);
  return serving;
}

const ANSWERED = {
  kind: 'answered',
  gpu_available: true,
  reason: null,
  boot_id: 'boot-a',
  seq: 180,
  continuity: 'complete',
  clock_skew_seconds: null,
};

describe('POST /ping-system/agents/{agent_id}/ping', () => {
  it('says what a first ping found, and when the next one is', async () => {
    const serving = await oneAgent();
    serving.fake.answer = UP;
    const at = serving.clock.nowMs / 1000;
    const { status, body } = await serving.ask(PING);
    expect([status, body]).toEqual([
      200,
      {
        counted: true,
        why_not: null,
        reply: ANSWERED,
        outcome: 'good',
        reason: 'first answer: the GPU is there',
        uptime_percentage: null,
        evidence: null,
        round_trip_seconds: 0.012,
        events: [],
        agent: (await serving.ask('GET /ping-system/agents/agent-001')).body,
      },
    ]);
    expect(body).toMatchObject({
      agent: {
        status: 'good',
        ping: {
          pings: 1,
          last_ping_at: at,
          next_ping_at: expect.closeTo(at + 900, -2),
          recovery: { pings: 0, at: null },
        },
      },
    });
  });

  it('shows both sides of the evidence, and the lower one counts', async () => {
    const serving = await pinged();
    serving.fake.answer = answered({ claimed: claim(0.9996, 0.98) });
    serving.fake.observed = claim(0.9512, 0.9);
    const [from, to] = [serving.registry.get('agent-001')?.state.spanFromMs ?? 0, serving.clock.nowMs];
    expect((await serving.ask(PING)).body).toMatchObject({
      counted: true,
      outcome: 'poor',
      reason: expect.stringMatching(/^uptime 95\.1% < 99% since .* \(claimed 99\.9%, observed 95\.1%\)$/),
      uptime_percentage: 95.12,
      evidence: {
        from: from / 1000,
        to: to / 1000,
        claimed: { uptime_percentage: 99.96, coverage_percentage: 98 },
        observed: { uptime_percentage: 95.12, coverage_percentage: 90 },
        divergence_percentage_points: 4.84,
      },
      events: [{ kind: 'escalated', at: to / 1000, from_interval_seconds: 900, to_interval_seconds: 1800 }],
      agent: { ping: { consecutive_poor: 1, interval_seconds: 1800, recovery: { pings: 1 } } },
    });
  });

  it('shows what a ping before its time found, and does not count it', async () => {
    const serving = await pinged();
    serving.clock.nowMs -= 540_000;
    const before = serving.registry.get('agent-001');
    serving.fake.answer = NO_GPU;
    const { status, body } = await serving.ask(PING);
    expect([status, body]).toMatchObject([
      200,
      {
        counted: false,
        why_not: 'it came 540 s before its time: what it found is shown, and changes nothing',
        outcome: 'no_gpu',
        reason: expect.stringMatching(/^no GPU: GPU 0 fell off the bus; uptime 90\.0% < 99% since /),
        reply: { ...ANSWERED, gpu_available: false, reason: 'GPU 0 fell off the bus' },
        events: [{ kind: 'early', at: serving.clock.nowMs / 1000, due_at: serving.clock.nowMs / 1000 + 540 }],
      },
    ]);
    expect(serving.registry.get('agent-001')).toEqual(before);
  });

  it.each([
    [UNREACHABLE, { kind: 'unreachable', reason: 'connection refused' }, 'unreachable: connection refused'],
    [INVALID, { kind: 'invalid', reason: 'not JSON' }, 'no valid answer: not JSON'],
    [refused(60_000), { kind: 'refused', reason: 'HTTP 503', retry_after_seconds: 60 }, 'refused: HTTP 503'],
  ])('confirms a failure first: %o', async (answer, reply, reason) => {
    const serving = await pinged();
    serving.fake.answer = answer;
    expect((await serving.ask(PING)).body).toMatchObject({
      counted: false,
      why_not: expect.stringMatching(
        /^a failure counts only once it is confirmed: the agent is to be asked again in \d+ s$/,
      ),
      reply,
      outcome: null,
      reason,
      round_trip_seconds: null,
      events: [{ kind: 'retry', at: serving.clock.nowMs / 1000, attempts: 1, reason }],
      agent: { status: 'good', ping: { retries: 1 } },
    });
  });

  it('tells of a restart', async () => {
    const serving = await pinged();
    serving.fake.answer = answered({ bootId: 'boot-b', claimed: claim(0.2) });
    expect((await serving.ask(PING)).body).toMatchObject({
      outcome: 'good',
      events: [{ kind: 'restarted', at: serving.clock.nowMs / 1000, boot_id: 'boot-b', is_grace: true }],
    });
  });

  const AGENT = { agent: {}, state: {} } as never as Extract<Pinged, { kind: 'busy' }>;

  it.each<[Pinged, number, string]>([
    [{ ...AGENT, kind: 'busy' }, 409, 'a ping of agent-001 is in flight: ask again in a few seconds'],
    [{ ...AGENT, kind: 'overtaken' }, 409, 'agent-001 was pinged or changed by somebody else meanwhile: ask again'],
    [{ kind: 'stopped' }, 503, 'the engine is stopping and pings nobody any more: ask again when it is back'],
    [
      { kind: 'unknown' },
      404,
      'no agent agent-001 is registered; GET /ping-system/agents lists the agents, POST /ping-system/agents/register registers one',
    ],
  ])('answers %j with %i', async (instead, status, detail) => {
    const { ask, fake } = await servePings();
    fake.instead = () => instead;
    expect(await ask(PING)).toMatchObject({ status, body: { status, detail } });
  });

  it.each([
    [`${PING}?force=true`, undefined, /"force" is not known here; leave it out/],
    [PING, { reply: 'good' }, /^a ping takes no body; send none$/],
    ['POST /ping-system/agents/a%20b/ping', undefined, /no valid agent_id/],
  ])('refuses %s with %j', async (request, body, detail) => {
    const { ask, fake } = await servePings();
    fake.instead = () => expect.fail('it was pinged');
    expect(await ask(request, { body })).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(detail) },
    });
  });

  it('answers with 503 while the store fails, and says nothing of how', async () => {
    const { ask, fake, logged } = await servePings();
    fake.instead = () => {
      throw new PingStoreError('postgres://user:secret@db refuses');
    };
    expect(await ask(PING)).toMatchObject({
      status: 503,
      body: { detail: "the store of agents and pings fails: try again, and see the engine's log" },
    });
    // The service has told of it already.
    expect(logged()).toBe('');
    fake.instead = () => {
      throw new StoreError('postgres://user@db refuses');
    };
    expect(await ask(PING)).toMatchObject({ status: 503 });
    expect(logged()).toContain('refuses');
  });

  it('ends when whoever asked has gone', async () => {
    const { url, fake } = await servePings();
    const gone = new AbortController();
    const ended = new Promise<void>((resolve) => {
      fake.pingNow = (_id, signal) => {
        gone.abort();
        return new Promise((answer) =>
          signal.addEventListener('abort', () => {
            answer({ kind: 'stopped' });
            resolve();
          }),
        );
      };
    });
    const asked = fetch(`${url}/ping-system/agents/agent-001/ping`, { method: 'POST', signal: gone.signal });
    await expect(asked).rejects.toThrow();
    await ended;
  });
});

/** 30 good pings, 15 minutes apart, the newest now. */
async function thirtyPings(): Promise<PingServing> {
  const serving = await servePings();
  await registered(serving.registry);
  for (let at = 0; at < 30; at++) {
    const claimed = await serving.registry.claim('agent-001', START_MS + at * 900_000, 1000);
    if (claimed === undefined) throw new Error('it is leased');
    await serving.registry.record([goodPing(claimed, START_MS + at * 900_000)]);
  }
  serving.clock.nowMs = START_MS + 29 * 900_000;
  return serving;
}

describe('GET /ping-system/agents/{agent_id}/history', () => {
  const END = START_MS / 1000 + 29 * 900;

  it('lists the pings of the last hours, the newest first', async () => {
    const { ask } = await thirtyPings();
    const { status, body } = await ask(`${HISTORY}?hours=0.5`);
    const ping = (at: number, sequence: number) => ({
      at,
      sequence,
      outcome: 'good',
      reason: 'uptime 99.8 % ≥ 99 %',
      uptime_percentage: 99.8,
      evidence: {
        from: at - 900,
        to: at,
        claimed: { uptime_percentage: 99.8, coverage_percentage: 100 },
        observed: { uptime_percentage: null, coverage_percentage: 20 },
        divergence_percentage_points: null,
      },
      consecutive_poor: 0,
      interval_seconds: 900,
      next_ping_at: at + 900,
      pay_interval_ends_at: at + 900,
      round_trip_seconds: 0.0125,
      clock_skew_seconds: -0.34,
    });
    const pings = [ping(END, 30), ping(END - 900, 29), ping(END - 1800, 28)];
    expect([status, body]).toEqual([200, { agent_id: 'agent-001', hours: 0.5, count: 3, next: null, pings }]);
  });

  it('takes a day unless told, and knows the whole history', async () => {
    const { ask, clock } = await thirtyPings();
    expect((await ask(HISTORY)).body).toMatchObject({ hours: 24, count: 30 });
    clock.nowMs += 23 * 3_600_000;
    expect((await ask(`${HISTORY}?hours=24`)).body).toMatchObject({ hours: 24, count: 5 });
    expect((await ask(`${HISTORY}?hours=168`)).body).toMatchObject({ hours: 168, count: 30 });
  });

  it('gives pages that neither overlap nor leave anything out', async () => {
    const { ask } = await thirtyPings();
    const sequences: number[] = [];
    let next: string | null = '';
    let pages = 0;
    while (next !== null) {
      const { body } = await ask(`${HISTORY}?limit=7${next === '' ? '' : `&before=${next}`}`);
      const page = body as { readonly next: string | null; readonly pings: readonly { readonly sequence: number }[] };
      sequences.push(...page.pings.map(({ sequence }) => sequence));
      next = page.next;
      pages += 1;
    }
    expect(pages).toBe(5);
    expect(sequences).toEqual(Array.from({ length: 30 }, (_, at) => 30 - at));
  });

  it.each([
    [
      'hours=0',
      /^the query is not valid: hours: write a number of hours above 0, at most 168: older pings are forgotten$/,
    ],
    ['hours=169', /hours: write a number of hours above 0/],
    ['hours=-1', /hours: write a number/],
    ['hours=NaN', /hours: write a number/],
    ['hours=1e3', /hours: write a number/],
    ['hours=', /hours: write a number/],
    ['before=yesterday', /before: write the `next` of the page before/],
    ['before=1.2.3', /before: write the `next`/],
    [
      'limit=1001&hour=1',
      /limit: write a whole number from 1 to 1000; query: "hour" is not known here; known: hours, limit, before/,
    ],
  ])('refuses %s', async (query, detail) => {
    const { ask } = await oneAgent();
    expect(await ask(`${HISTORY}?${query}`)).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(detail) },
    });
  });

  it('knows no history of an agent that is not registered', async () => {
    const { ask } = await servePings();
    expect(await ask(HISTORY)).toMatchObject({ status: 404 });
  });
});
