import { describe, expect, it } from 'vitest';
import type { PingReply } from '../../../engine/core/ping/outcome.ts';
import { UP } from '../core/ping/fixtures.ts';
import { REGISTRATION, registered } from '../ping/registry-fixtures.ts';
import { START_MS } from '../store/ping-fixtures.ts';
import { servePings } from './ping-serving.ts';

/** By a clock that is a quarter of a second behind the engine's. */
const SKEWED: PingReply = UP.kind === 'answered' ? { ...UP, clockSkewMs: -250 } : UP;

const REGISTER = 'POST /ping-system/agents/register';
const START = START_MS / 1000;

/** The entry of an agent that has not been pinged yet. */
function freshEntry(change: object = {}) {
  return {
    agent_id: 'agent-001',
    agent_url: 'http://agent-host:8001',
    capabilities: ['gpu-compute', 'image-generation'],
    metadata: { gpu_model: 'RTX 4090' },
    node: 'agent-host:8001',
    gpu: null,
    registered_at: START,
    updated_at: START,
    status: 'never_pinged',
    ping: {
      pings: 0,
      last_ping_at: null,
      outcome: null,
      reason: null,
      consecutive_poor: 0,
      good_in_a_row: 0,
      interval_seconds: 900,
      next_ping_at: expect.closeTo(START + 2.5, -1),
      pay_interval_ends_at: START,
      retries: 0,
      is_due: false,
      clock_skew_seconds: null,
      recovery: { pings: 0, at: null },
    },
    ...change,
  };
}

describe('POST /ping-system/agents/register', () => {
  it('registers the agent of the guide, and tells its token once', async () => {
    const { ask, registry } = await servePings();
    const first = await ask(REGISTER, {
      body: `{
        "agent_id": "agent-001",
        "agent_url": "http://agent-host:8001",
        "capabilities": ["gpu-compute", "image-generation"],
        "metadata": {"gpu_model": "RTX 4090"}
      }`,
    });
    const token = expect.stringMatching(/^[\w-]{43}$/);
    expect([first.status, first.body]).toEqual([
      201,
      { result: 'registered', agent_token: token, agent: freshEntry() },
    ]);
    expect(first.headers.get('location')).toBe('/ping-system/agents/agent-001');
    expect(first.headers.get('cache-control')).toBe('no-store');
    expect(registry.size).toBe(1);
    const again = await ask(REGISTER, { body: REGISTRATION });
    expect([again.status, again.body]).toEqual([200, { result: 'unchanged', agent: freshEntry() }]);
  });

  it('changes an agent for whoever shows its token', async () => {
    const { ask, clock, registry } = await servePings();
    const token = await registered(registry);
    clock.nowMs += 1000;
    const body = { ...REGISTRATION, agent_url: 'https://elsewhere', metadata: { node: 'n7', gpu_uuid: 'GPU-1' } };
    const changed = await ask(REGISTER, { body, headers: { 'Agent-Token': token } });
    const agent = freshEntry({
      agent_url: 'https://elsewhere',
      metadata: { node: 'n7', gpu_uuid: 'GPU-1' },
      node: 'n7',
      gpu: 'GPU-1',
      updated_at: START + 1,
    });
    expect([changed.status, changed.body]).toEqual([200, { result: 'changed', agent }]);
  });

  it.each([
    ['without its token', {}],
    ['with another token', { 'Agent-Token': 'A'.repeat(43) }],
  ])('leaves an agent as it is %s', async (_, headers) => {
    const { ask, registry } = await servePings();
    await registered(registry);
    const { status, body } = await ask(REGISTER, {
      body: { ...REGISTRATION, agent_url: 'http://thief:1025' },
      headers,
    });
    expect([status, body]).toEqual([
      403,
      {
        type: 'about:blank',
        title: 'Forbidden',
        status: 403,
        detail:
          'agent-001 is registered already: send the token of its first registration to change it, or choose another agent_id; it travels in the header Agent-Token',
      },
    ]);
    expect(registry.get('agent-001')?.agent.url).toBe('http://agent-host:8001');
  });

  it('names everything that is wrong with a body', async () => {
    const { ask } = await servePings();
    const body = {
      agent_id: 'agent 1',
      agent_url: 'http://169.254.169.254/',
      capabilities: ['ok', ''],
      metadata: { 'a b': 1 },
      sudo: true,
    };
    const { status, headers, body: answer } = await ask(REGISTER, { body });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(answer).toEqual({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: expect.stringMatching(/^the registration is not valid: agent_id: write 1 to 128 of .*; agent_url: /),
      errors: [
        { field: 'agent_id', problem: expect.stringContaining('write 1 to 128') },
        { field: 'capabilities/1', problem: expect.stringContaining('write 1 to 128') },
        { field: 'metadata/a b', problem: expect.stringContaining('a name is 1 to 64') },
        { field: '', problem: expect.stringContaining('nothing else is known') },
        { field: 'agent_url', problem: expect.stringContaining('169.254.169.254') },
      ],
    });
  });

  it.each([
    ['no body', {}, 415, /content-type: application\/json/],
    ['text', { body: '{}', headers: { 'content-type': 'text/plain' } }, 415, /content-type: application\/json/],
    ['what is not JSON', { body: '{"agent_id":' }, 400, /the body is not JSON/],
    ['a list', { body: '[]' }, 400, /send a JSON object with agent_id, agent_url/],
    ['null', { body: 'null' }, 400, /send a JSON object with agent_id, agent_url/],
    ['too much', { body: { ...REGISTRATION, metadata: { a: 'x'.repeat(70_000) } } }, 413, /at most 65536 bytes/],
  ])('refuses %s', async (_, asking, status, detail) => {
    const { ask, registry } = await servePings();
    expect(await ask(REGISTER, asking)).toMatchObject({
      status,
      body: { status, detail: expect.stringMatching(detail) },
    });
    expect(registry.size).toBe(0);
  });

  it('refuses a URL and a GPU that another agent has', async () => {
    const { ask } = await servePings();
    const metadata = { gpu_uuid: 'GPU-1' };
    expect(await ask(REGISTER, { body: { ...REGISTRATION, metadata } })).toMatchObject({ status: 201 });
    const way =
      'remove agent-001 first, or send its token and agent_id agent-001 to change that one; the token travels in the header Agent-Token';
    const url = await ask(REGISTER, { body: { ...REGISTRATION, agent_id: 'agent-002' } });
    expect([url.status, url.body]).toEqual([
      409,
      {
        type: 'about:blank',
        title: 'Conflict',
        status: 409,
        detail: `http://agent-host:8001 belongs to agent-001, and a URL has one agent: ${way}`,
      },
    ]);
    const body = { ...REGISTRATION, agent_id: 'agent-002', agent_url: 'http://second:8001', metadata };
    expect(await ask(REGISTER, { body })).toMatchObject({
      status: 409,
      body: { detail: `the GPU GPU-1 belongs to agent-001, and a GPU has one agent: ${way}` },
    });
  });

  it('refuses parameters, and one agent more than there may be', async () => {
    const { ask } = await servePings({ maxAgents: 1 });
    expect(await ask(`${REGISTER}?force=1`, { body: REGISTRATION })).toMatchObject({ status: 400 });
    expect(await ask(REGISTER, { body: REGISTRATION })).toMatchObject({ status: 201 });
    const body = { ...REGISTRATION, agent_id: 'agent-002', agent_url: 'http://second:8001' };
    const second = await ask(REGISTER, { body });
    expect(second).toMatchObject({
      status: 507,
      body: {
        detail:
          'no more than 1 agents may be registered (ping.max_agents), and there are as many: remove some, or raise ping.max_agents',
      },
    });
  });
});

const OPERATOR = 'operator-token-of-16';
const AGENTS = 'agents-token-of-16-x';

describe('credentials', () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const both = { token: OPERATOR, registrationToken: AGENTS };

  it.each([
    ['on loopback anybody', {}, {}, 201],
    ['on loopback no web page', {}, { origin: 'http://evil.example' }, 403],
    ['on loopback whoever shows the token that was asked for', { registrationToken: AGENTS }, bearer(AGENTS), 201],
    ['on loopback nobody without it', { registrationToken: AGENTS }, {}, 401],
    ['elsewhere nobody without a token configured', { address: '0.0.0.0' }, {}, 403],
    ['the operator', both, bearer(OPERATOR), 201],
    ['agents', both, bearer(AGENTS), 201],
    ['agents elsewhere', { registrationToken: AGENTS, address: '0.0.0.0' }, bearer(AGENTS), 201],
    ['nobody with another token', both, bearer('agents-token-of-16-y'), 401],
    ['nobody without a token', both, {}, 401],
  ])('let %s register', async (_, options, headers, status) => {
    const { ask } = await servePings(options);
    expect(await ask(REGISTER, { body: REGISTRATION, headers })).toMatchObject({ status });
  });

  it.each([
    ['where only agents have a token', { registrationToken: AGENTS }, ', once the engine is started with that set'],
    ['where the operator has one as well', both, ''],
  ])('say what opens the way, %s', async (_, options, more) => {
    const { ask } = await servePings(options);
    const way = '; as its operator send GPU_UPTIME_TOKEN instead';
    const detail = `send the header "Authorization: Bearer <AGENT_REGISTRATION_TOKEN>"${way}${more}`;
    expect(await ask(REGISTER, { body: REGISTRATION })).toMatchObject({ status: 401, body: { detail } });
  });

  it('tell agents apart from the operator', async () => {
    const { ask, registry } = await servePings(both);
    await registered(registry);
    const hold = { effect: 'deny', owner: 'x', reason: 'x', expires_in_seconds: 1 };
    const holds = await ask('POST /api/v1/holds', { body: hold, headers: bearer(AGENTS) });
    const ping = await ask('POST /ping-system/agents/agent-001/ping', { headers: bearer(AGENTS) });
    const result = await ask('POST /api/v1/decisions/ping/agent-001/ping-result', {
      body: {},
      headers: bearer(AGENTS),
    });
    const removal = await ask('DELETE /ping-system/agents/agent-001', { headers: bearer(AGENTS) });
    expect([holds.status, ping.status, result.status, removal.status]).toEqual([401, 401, 401, 403]);
    expect(ping.body).toMatchObject({ detail: 'send the header "Authorization: Bearer <GPU_UPTIME_TOKEN>"' });
    expect(registry.size).toBe(1);
  });

  it('stand in no log line and in no other answer', async () => {
    const { ask, logged, registry } = await servePings(both);
    const token = await registered(registry);
    const headers = { ...bearer(AGENTS), 'Agent-Token': token };
    const moved = { ...REGISTRATION, agent_url: 'http://elsewhere:9000' };
    const answers = [
      await ask(REGISTER, { body: moved, headers }),
      await ask(REGISTER, { body: moved, headers: { ...headers, 'Agent-Token': `${token}x` } }),
      await ask(REGISTER, { body: { ...moved, agent_id: 7 }, headers }),
      await ask('GET /ping-system/agents'),
      await ask('GET /ping-system/agents/agent-001'),
      await ask('GET /ping-system/dashboard'),
      await ask('GET /sd/agents'),
      await ask('GET /api/v1/decisions/ping/agent-001'),
      await ask('DELETE /ping-system/agents/agent-001', { headers: { ...headers, 'Agent-Token': `${token}x` } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 400, 200, 200, 200, 200, 200, 403]);
    const told = JSON.stringify(answers.map(({ body }) => body)) + logged();
    for (const secret of [token, AGENTS, OPERATOR]) expect(told).not.toContain(secret);
  });
});

describe('GET /ping-system/agents', () => {
  async function threeAgents() {
    const serving = await servePings();
    for (const [id, capabilities] of [
      ['b', ['x']],
      ['a', ['x', 'y']],
      ['c', ['y']],
    ] as const)
      await registered(serving.registry, { agent_id: id, capabilities, metadata: { rack: `r-${id}` } });
    return serving;
  }

  it('lists all agents by id', async () => {
    const { ask } = await threeAgents();
    const entries = [
      ['a', ['x', 'y']],
      ['b', ['x']],
      ['c', ['y']],
    ].map(([id, capabilities]) => {
      const [agent_url, node] = [`http://agent-host:8001/${id}`, `agent-host:8001/${id}`];
      return freshEntry({ agent_id: id, agent_url, node, capabilities, metadata: { rack: `r-${id}` } });
    });
    const { status, body } = await ask('GET /ping-system/agents');
    expect([status, body]).toEqual([200, { total: 3, count: 3, next: null, agents: entries }]);
  });

  it('is empty where nobody is registered', async () => {
    const { ask } = await servePings();
    expect((await ask('GET /ping-system/agents')).body).toEqual({ total: 0, count: 0, next: null, agents: [] });
  });

  it('gives pages, each beginning where the one before ended', async () => {
    const { ask } = await threeAgents();
    const first = (await ask('GET /ping-system/agents?limit=2')).body;
    expect(first).toMatchObject({ total: 3, count: 2, next: 'b', agents: [{ agent_id: 'a' }, { agent_id: 'b' }] });
    const last = (await ask('GET /ping-system/agents?limit=2&after=b')).body;
    expect(last).toMatchObject({ total: 3, count: 1, next: null, agents: [{ agent_id: 'c' }] });
  });

  it.each([
    ['capability=y', ['a', 'c']],
    ['status=good', ['b']],
    ['status=never_pinged', ['a', 'c']],
    ['q=R-C', ['c']],
    ['due=true', ['a', 'c']],
    ['due=true&capability=x', ['a']],
    ['capability=z', []],
  ])('finds those with %s', async (query, ids) => {
    const { ask, clock, fake } = await threeAgents();
    clock.nowMs += 5000;
    fake.answer = UP;
    await fake.pingNow('b', new AbortController().signal);
    const { body } = await ask(`GET /ping-system/agents?${query}`);
    expect(body).toMatchObject({ total: ids.length, agents: ids.map((id) => ({ agent_id: id })) });
  });

  it.each([
    ['limit=0', 'limit: write a whole number from 1 to 1000'],
    ['limit=1001', 'limit: write a whole number from 1 to 1000'],
    ['limit=1e9', 'limit: write a whole number from 1 to 1000'],
    ['limit=1&limit=2', 'limit: write a whole number from 1 to 1000'],
    ['status=bad', 'status: write one of good, unobserved, never_pinged, poor, no_gpu, refused, invalid, unreachable'],
    ['due=false', 'due: write true, or leave it out'],
    ['q=', 'q: write what to search for'],
    ['after=', 'after: write 1 to 128 of A-Z a-z 0-9 . _ : - beginning with a letter or digit'],
    ['page=2', 'query: "page" is not known here; known: capability, status, q, due, limit, after'],
  ])('refuses %s', async (query, problem) => {
    const { ask } = await servePings();
    const { status, body } = await ask(`GET /ping-system/agents?${query}`);
    expect([status, body]).toMatchObject([400, { detail: `the query is not valid: ${problem}` }]);
  });
});

describe('GET /ping-system/agents/due-for-ping', () => {
  it('lists those that have waited longest first, and says who pings them', async () => {
    const { ask, clock, fake, registry } = await servePings();
    for (const id of ['a', 'b', 'c']) await registered(registry, { agent_id: id });
    expect((await ask('GET /ping-system/agents/due-for-ping')).body).toEqual({
      total: 0,
      count: 0,
      agents: [],
      scheduler: 'engine',
    });
    clock.nowMs += 5000;
    fake.figures = { isScheduling: false };
    const inOrder = registry.due(clock.nowMs, 3).map(({ agent }) => ({ agent_id: agent.id, ping: { is_due: true } }));
    const { body } = await ask('GET /ping-system/agents/due-for-ping?limit=2');
    expect(body).toMatchObject({ total: 3, count: 2, agents: inOrder.slice(0, 2), scheduler: 'external' });
    expect(await ask('GET /ping-system/agents/due-for-ping?limit=no')).toMatchObject({ status: 400 });
    expect(await ask('GET /ping-system/agents/due-for-ping?after=a')).toMatchObject({ status: 400 });
  });
});

const UNKNOWN = {
  status: 404,
  detail:
    'no agent agent-9 is registered; GET /ping-system/agents lists the agents, POST /ping-system/agents/register registers one',
};

describe('GET /ping-system/agents/{agent_id}', () => {
  it('shows one agent, with the way back of one that is late already', async () => {
    const { ask, clock, fake, registry } = await servePings();
    await registered(registry);
    clock.nowMs += 5000;
    fake.answer = UP;
    await ask('POST /ping-system/agents/agent-001/ping');
    clock.nowMs = registry.get('agent-001')?.state.nextDueAtMs ?? 0;
    fake.observed = { uptime: 0.9, coverage: 1 };
    fake.answer = SKEWED;
    await ask('POST /ping-system/agents/agent-001/ping');
    clock.nowMs = (registry.get('agent-001')?.state.nextDueAtMs ?? 0) + 60_000;
    const { status, body } = await ask('GET /ping-system/agents/agent-001');
    expect([status, body]).toEqual([
      200,
      freshEntry({
        status: 'poor',
        ping: {
          pings: 2,
          last_ping_at: expect.closeTo(START + 905, -2),
          outcome: 'poor',
          reason: 'uptime 90.0% < 99% since 12:00:05Z (claimed 100.0%, observed 90.0%)',
          consecutive_poor: 1,
          good_in_a_row: 0,
          interval_seconds: 1800,
          next_ping_at: clock.nowMs / 1000 - 60,
          pay_interval_ends_at: clock.nowMs / 1000 - 60,
          retries: 0,
          is_due: true,
          clock_skew_seconds: -0.25,
          recovery: { pings: 1, at: clock.nowMs / 1000 },
        },
      }),
    ]);
  });

  it.each([
    ['GET /ping-system/agents/agent-9', 404, UNKNOWN],
    [
      'GET /ping-system/agents/%20',
      400,
      { detail: expect.stringMatching(/^the path has no valid agent_id: write 1 to/) },
    ],
    ['GET /ping-system/agents/%E0', 400, { detail: expect.stringMatching(/^the path contains a % that/) }],
    [
      'GET /ping-system/agents/agent-9?x=1',
      400,
      { detail: 'the query is not valid: query: "x" is not known here; leave it out' },
    ],
    ['DELETE /ping-system/agents/%00', 400, {}],
  ])('answers %s with %i', async (request, status, body) => {
    const { ask } = await servePings();
    expect(await ask(request)).toMatchObject({ status, body });
  });
});

describe('DELETE /ping-system/agents/{agent_id}', () => {
  const REMOVE = 'DELETE /ping-system/agents/agent-001';
  const LOST =
    'where that is lost, start the engine with GPU_UPTIME_TOKEN set and send "Authorization: Bearer <GPU_UPTIME_TOKEN>" without it';

  it('removes an agent for its owner', async () => {
    const { ask, registry } = await servePings();
    const token = await registered(registry);
    const { status, body } = await ask(REMOVE, { headers: { 'Agent-Token': token } });
    expect([status, body, registry.size]).toEqual([204, undefined, 0]);
    expect(await ask(REMOVE, { headers: { 'Agent-Token': token } })).toMatchObject({ status: 404 });
  });

  it('removes any agent for the operator, unless a token is shown that is not its own', async () => {
    const { ask, registry } = await servePings({ token: OPERATOR });
    await registered(registry);
    const authorization = `Bearer ${OPERATOR}`;
    const wrong = await ask(REMOVE, { headers: { authorization, 'Agent-Token': 'A'.repeat(43) } });
    expect([wrong.status, registry.size]).toEqual([403, 1]);
    expect(await ask(REMOVE, { headers: { authorization } })).toMatchObject({ status: 204 });
    expect(registry.size).toBe(0);
  });

  it.each([
    ['nothing', {}, `send the token of its registration in the header Agent-Token; ${LOST}`],
    [
      'the wrong token',
      { 'Agent-Token': 'x' },
      `the header Agent-Token is not the token that agent-001 was given; ${LOST}`,
    ],
  ])('refuses who shows %s on loopback, where nobody is the operator', async (_, headers, detail) => {
    const { ask, registry } = await servePings();
    await registered(registry);
    expect(await ask(REMOVE, { headers })).toMatchObject({ status: 403, body: { detail } });
    expect(registry.size).toBe(1);
  });
});
