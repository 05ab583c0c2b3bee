import { describe, expect, it } from 'vitest';
import type { Pinged } from '../../../engine/ping/pings.ts';
import { answered, claim, NO_GPU, UP } from '../core/ping/fixtures.ts';
import { registered } from '../ping/registry-fixtures.ts';
import { type PingServing, servePings } from './ping-serving.ts';

const DECISION = 'GET /api/v1/decisions/ping/agent-001';
const RESULT = 'POST /api/v1/decisions/ping/agent-001/ping-result';

async function oneAgent(): Promise<PingServing> {
  const serving = await servePings();
  await registered(serving.registry, { agent_url: 'https://agent-host/gpu-7' });
  return serving;
}

function dueAtMs({ registry }: PingServing): number {
  return registry.get('agent-001')?.state.nextDueAtMs ?? 0;
}

describe('GET /api/v1/decisions/ping/{agent_id}', () => {
  it('tells when the first ping is, and what to ask', async () => {
    const serving = await oneAgent();
    const waitMs = dueAtMs(serving) - serving.clock.nowMs;
    const { status, body } = await serving.ask(DECISION);
    expect([status, body]).toEqual([
      200,
      {
        agent_id: 'agent-001',
        ping_now: false,
        next_ping_at: dueAtMs(serving) / 1000,
        wait_seconds: waitMs / 1000,
        interval_seconds: 900,
        reason: 'never pinged: the first ping asks only whether there is a GPU',
        consecutive_poor: 0,
        recovery: { pings: 0, at: null },
        question: { url: 'https://agent-host/gpu-7/agent/uptime-since-last-ping', cursor: null },
        span: null,
        policy_revision: 'ping00000000',
      },
    ]);
    serving.clock.nowMs = dueAtMs(serving);
    expect((await serving.ask(DECISION)).body).toMatchObject({ ping_now: true, wait_seconds: 0 });
  });

  it('asks from the cursor of the last answer, and about the time since then', async () => {
    const serving = await oneAgent();
    const pingedAt: number[] = [];
    for (const answer of [UP, answered({ bootId: 'boot a/b', seq: 360, claimed: claim(0.5) })]) {
      serving.clock.nowMs = dueAtMs(serving);
      pingedAt.push(serving.clock.nowMs / 1000);
      serving.fake.answer = answer;
      await serving.ask('POST /ping-system/agents/agent-001/ping');
    }
    serving.fake.answer = answered({ bootId: 'boot a/b', seq: 540, claimed: claim(0.5) });
    serving.clock.nowMs = dueAtMs(serving);
    pingedAt.push(serving.clock.nowMs / 1000);
    await serving.ask('POST /ping-system/agents/agent-001/ping');
    const next = dueAtMs(serving) / 1000;
    expect((await serving.ask(DECISION)).body).toEqual({
      agent_id: 'agent-001',
      ping_now: false,
      next_ping_at: next,
      wait_seconds: next - serving.clock.nowMs / 1000,
      interval_seconds: 1800,
      reason: expect.stringMatching(
        /^1 poor ping: 15m x 2\^1 = 30m; last ping: uptime 50\.0% < 99% since .*\(claimed 50\.0%/,
      ),
      consecutive_poor: 1,
      recovery: { pings: 1, at: next },
      question: {
        url: 'https://agent-host/gpu-7/agent/uptime-since-last-ping?since=540&boot_id=boot+a%2Fb',
        cursor: { since: 540, boot_id: 'boot a/b' },
      },
      span: { from: pingedAt[2], to: next },
      policy_revision: 'ping00000000',
    });
  });

  it('changes nothing, however often it is asked', async () => {
    const serving = await oneAgent();
    serving.clock.nowMs = dueAtMs(serving) + 1;
    const before = await serving.agents.find('agent-001');
    const answers = await Promise.all(Array.from({ length: 100 }, async () => (await serving.ask(DECISION)).body));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await serving.agents.find('agent-001')).toEqual(before);
    expect((await serving.another()).get('agent-001')).toEqual(serving.registry.get('agent-001'));
    expect(serving.fake.handedIn).toEqual([]);
  });

  it.each([
    ['GET /api/v1/decisions/ping/agent-9', 404],
    ['GET /api/v1/decisions/ping/agent%209', 400],
    [`${DECISION}?now=1`, 400],
  ])('answers %s with %i', async (request, status) => {
    const { ask } = await oneAgent();
    expect(await ask(request)).toMatchObject({ status, body: { status } });
  });
});

describe('POST /api/v1/decisions/ping/{agent_id}/ping-result', () => {
  const ANSWER = { boot_id: 'b', seq: 1, nested: { ü: [1.5, null, '"'] } };

  it.each([
    [
      { at: 1_767_614_400.25, reply: { kind: 'answered', answer: ANSWER, round_trip_seconds: 0.5 } },
      [1_767_614_400_250, 1_767_614_400_750, { kind: 'answer', text: JSON.stringify(ANSWER), roundTripMs: 500 }],
    ],
    [
      { at: 100, ended_at: 102.5, reply: { kind: 'answered', answer: null } },
      [100_000, 102_500, { kind: 'answer', text: 'null', roundTripMs: 2500 }],
    ],
    [
      { at: 100, ended_at: 110, reply: { kind: 'unreachable', reason: 'no route' } },
      [100_000, 110_000, { kind: 'unreachable', reason: 'no route' }],
    ],
    [
      { at: 100, reply: { kind: 'refused', reason: '429', retry_after_seconds: 7 } },
      [100_000, 100_000, { kind: 'refused', reason: '429', retryAfterMs: 7000 }],
    ],
    [
      { at: 100, reply: { kind: 'refused', reason: '403' } },
      [100_000, 100_000, { kind: 'refused', reason: '403', retryAfterMs: undefined }],
    ],
    [{ at: 100, reply: { kind: 'invalid', reason: 'HTML' } }, [100_000, 100_000, { kind: 'invalid', reason: 'HTML' }]],
  ])('hands in %j', async (body, [atMs, endedAtMs, brought]) => {
    const { ask, fake } = await oneAgent();
    expect(await ask(RESULT, { body })).toMatchObject({ status: 200 });
    expect(fake.handedIn).toEqual([{ atMs, endedAtMs, brought }]);
  });

  it('answers as a ping of the engine does', async () => {
    const serving = await oneAgent();
    serving.clock.nowMs = dueAtMs(serving);
    serving.fake.answer = NO_GPU;
    const { body } = await serving.ask(RESULT, { body: { at: 100, reply: { kind: 'answered', answer: ANSWER } } });
    expect(body).toMatchObject({
      counted: true,
      why_not: null,
      duplicate: false,
      outcome: 'no_gpu',
      agent: { agent_id: 'agent-001', status: 'no_gpu', ping: { pings: 1 } },
    });
  });

  it.each([
    [{ kind: 'duplicate' }, true, 'this ping was handed in before'],
    [{ kind: 'late', newestAtMs: 105_000 }, false, 'it is late: a ping that began at 105 is known'],
  ] as const)('says of one that is %j that it changes nothing', async (instead, duplicate, why) => {
    const { ask, fake, registry } = await oneAgent();
    const known = registry.get('agent-001');
    if (known === undefined) throw new Error('it is not registered');
    fake.instead = () => ({ ...known, ...instead });
    const { status, body } = await ask(RESULT, { body: { at: 100, reply: { kind: 'invalid', reason: 'HTML' } } });
    expect([status, body]).toEqual([
      200,
      {
        counted: false,
        why_not: why,
        duplicate,
        reply: null,
        outcome: null,
        reason: null,
        uptime_percentage: null,
        evidence: null,
        round_trip_seconds: null,
        events: [],
        agent: (await ask('GET /ping-system/agents/agent-001')).body,
      },
    ]);
  });

  it('passes on why a result cannot be', async () => {
    const { ask, fake } = await oneAgent();
    fake.instead = () => ({ kind: 'invalid', reason: 'it lies 60 s in the future' }) as Pinged;
    expect(await ask(RESULT, { body: { at: 100, reply: { kind: 'invalid', reason: 'x' } } })).toMatchObject({
      status: 400,
      body: { detail: 'the result is not valid: it lies 60 s in the future' },
    });
  });

  it.each([
    ['no body', undefined, 415, /send a JSON body/],
    ['an empty object', {}, 400, /at: write Unix seconds as a number; reply: write an object with kind answered, /],
    [
      'milliseconds',
      { at: 1_767_614_400_000, reply: { kind: 'invalid', reason: 'x' } },
      400,
      /at: write seconds, not milli/,
    ],
    ['no answer', { at: 1, reply: { kind: 'answered' } }, 400, /reply\/answer: send the JSON that the agent answered/],
    ['no reason', { at: 1, reply: { kind: 'unreachable' } }, 400, /reply\/reason: say in words what happened/],
    [
      'another kind',
      { at: 1, reply: { kind: 'forbidden', reason: 'x' } },
      400,
      /reply\/?\w*: write an object with kind/,
    ],
    [
      'more than is known',
      { at: 1, reply: { kind: 'invalid', reason: 'x', retry_after_seconds: 1 }, agent: 'x' },
      400,
      /reply: "retry_after_seconds" is not known here; known: kind, reason; body: "agent" is not known here; known: at, /,
    ],
    [
      'a longer answer',
      { at: 1, reply: { kind: 'answered', answer: 'x'.repeat(65_535) } },
      413,
      /65536 bytes an agent may/,
    ],
    ['far too much', { at: 1, reply: { kind: 'answered', answer: 'x'.repeat(170_000) } }, 413, /at most 163840 bytes/],
  ])('refuses %s', async (_, body, status, detail) => {
    const { ask, fake } = await oneAgent();
    expect(await ask(RESULT, { body })).toMatchObject({ status, body: { detail: expect.stringMatching(detail) } });
    expect(fake.handedIn).toEqual([]);
  });

  it('takes as long an answer as an agent may give, in any spelling', async () => {
    const { ask, fake } = await oneAgent();
    const spelled = `"${'\\u0041'.repeat(20_000)}"`;
    const longest = JSON.stringify('x'.repeat(65_534));
    for (const answer of [spelled, longest]) {
      const body = `{"at": 1, "reply": {"kind": "answered", "answer": ${answer}}}`;
      expect(await ask(RESULT, { body })).toMatchObject({ status: 200 });
    }
    expect(fake.handedIn).toHaveLength(2);
  });

  it('knows no agent that is not registered', async () => {
    const { ask } = await servePings();
    expect(await ask(RESULT, { body: { at: 1, reply: { kind: 'invalid', reason: 'x' } } })).toMatchObject({
      status: 404,
    });
  });
});
