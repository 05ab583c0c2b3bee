/** `gpu-uptime agents` against a server that answers from a table. */
import { describe, expect, it } from 'vitest';
import { main } from '../../../engine/cli/main.ts';
import { freePort } from '../../servers/free-port.ts';
import {
  agentEntry,
  fakeEngine,
  HOSTILE,
  NOW,
  type Printed,
  poorEntry,
  type Reply,
  type Table,
} from './fake-engine.ts';

async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Printed> {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (text: string) => out.push(text), err: (text: string) => err.push(text), env, cwd: '/' };
  const code = await main(['agents', ...args], io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

async function runAgainst(table: Table, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const engine = await fakeEngine(table);
  return { ...(await run(args, { ...engine.env, ...env })), engine };
}

const LIST = 'GET /ping-system/agents';
const ONE = '/ping-system/agents/*';
const REGISTER = 'POST /ping-system/agents/register';

function page(agents: readonly object[], more: object = {}): Reply {
  return { body: { total: agents.length, count: agents.length, next: null, agents, ...more } };
}

const lost = agentEntry('agent-003', {
  status: 'unreachable',
  capabilities: [],
  ping: { reason: 'unreachable since 11:59:00Z, asked 4 times: connection refused', next_ping_at: NOW - 3, retries: 1 },
});
const fresh = agentEntry('agent-004', {
  status: 'never_pinged',
  ping: {
    pings: 0,
    last_ping_at: null,
    reason: null,
    clock_skew_seconds: null,
    next_ping_at: NOW,
    pay_interval_ends_at: NOW,
    good_in_a_row: 0,
  },
});

describe('gpu-uptime agents list', () => {
  it('prints a table of the agents', async () => {
    const agents = [agentEntry('agent-001'), poorEntry('agent-002'), lost, fresh];
    const { code, out, err } = await runAgainst({ [LIST]: page(agents) }, ['list']);
    expect([code, err]).toEqual([0, '']);
    await expect(`${out}\n`).toMatchFileSnapshot('golden/agents-list.txt');
  });

  it('asks for what the options say', async () => {
    const args = ['list', '--capability', 'a/b', '--status', 'poor', '--search', 'RTX 4090', '--due', '--limit', '7'];
    const { out, engine } = await runAgainst({ [LIST]: page([]) }, args);
    expect(out).toBe('No agent matches.');
    expect(Object.fromEntries(new URLSearchParams(engine.asked[0]?.query))).toEqual({
      capability: 'a/b',
      status: 'poor',
      q: 'RTX 4090',
      due: 'true',
      limit: '7',
    });
  });

  it('reads all pages, and no more than the limit asks for', async () => {
    const all = Array.from({ length: 2500 }, (_, at) => agentEntry(`agent-${String(at).padStart(4, '0')}`));
    const table: Table = {
      [LIST]: ({ query }) => {
        const { after = '', limit = '100' } = Object.fromEntries(new URLSearchParams(query));
        const rest = all.filter(({ agent_id: id }) => id > after);
        const agents = rest.slice(0, Number(limit));
        const next = rest.length > agents.length ? agents.at(-1)?.agent_id : null;
        return { body: { total: all.length, count: agents.length, next, agents } };
      },
    };
    const { out, engine } = await runAgainst(table, ['list']);
    expect(out.split('\n').filter((line) => line.startsWith('agent-'))).toHaveLength(2500);
    expect(out).toMatch(/\n\n2500 agents\.$/);
    expect(engine.asked.map(({ query }) => query)).toEqual([
      'limit=1000',
      'limit=1000&after=agent-0999',
      'limit=1000&after=agent-1999',
    ]);
    const limited = await run(['list', '--limit', '1001'], engine.env);
    expect(limited.out).toMatch(/\nagent-1000 .*\n\n1001 of 2500 agents; --limit was reached\.$/);
  });

  it('does not ask for ever where pages lead nowhere', async () => {
    const { out, engine } = await runAgainst({ [LIST]: page([agentEntry('a')], { next: 'x', total: 9 }) }, ['list']);
    expect(engine.asked).toHaveLength(2);
    expect(out).toContain('2 of 9 agents');
    expect((await runAgainst({ [LIST]: page([], { next: 'x' }) }, ['list'])).out).toBe('No agent is registered.');
  });

  it('prints JSON for programs, with all that the engine said', async () => {
    const agents = [agentEntry('agent-001', { brand_new: { x: 1 } })];
    const { code, out } = await runAgainst({ [LIST]: page(agents) }, ['list', '--json']);
    expect([code, JSON.parse(out)]).toEqual([0, { total: 1, count: 1, agents }]);
  });

  it.each([[['list']], [['list', '--json']], [['show', 'a']], [['show', 'a', '--json']]])(
    'lets no control character through with %j',
    async (args) => {
      const entry = agentEntry('a', {
        agent_id: HOSTILE,
        agent_url: HOSTILE,
        status: HOSTILE,
        node: HOSTILE,
        capabilities: [HOSTILE],
        metadata: { [HOSTILE]: HOSTILE },
        ping: { reason: HOSTILE },
      });
      const pings = [historyPing({ reason: HOSTILE, outcome: HOSTILE })];
      const table = {
        [LIST]: page([entry]),
        [`GET ${ONE}`]: { body: entry },
        [`GET ${ONE}/history`]: { body: { next: null, pings } },
      };
      const { code, out } = await runAgainst(table, args);
      expect(code).toBe(0);
      expect(out.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect(out).toContain('evil');
      if (args.includes('--json')) expect(out).toContain('evil\\u001b[2J');
    },
  );

  it('keeps what is hostile in JSON the same value', async () => {
    const entry = agentEntry('a', { agent_id: `${HOSTILE}\u{e0001}\u2028\n` });
    const { out } = await runAgainst({ [LIST]: page([entry]) }, ['list', '--json']);
    expect(JSON.parse(out).agents).toEqual([entry]);
  });
});

function historyPing(more: object = {}) {
  return {
    at: NOW - 180,
    sequence: 97,
    outcome: 'good',
    reason: 'uptime 99.9% ≥ 99% since 11:42:00Z (claimed 99.9%, observed 100%)',
    uptime_percentage: 99.9,
    evidence: null,
    consecutive_poor: 0,
    interval_seconds: 900,
    next_ping_at: NOW + 720,
    pay_interval_ends_at: NOW + 720,
    round_trip_seconds: 0.0123,
    ...more,
  };
}

describe('gpu-uptime agents show', () => {
  const pings = [
    historyPing({ outcome: 'poor', uptime_percentage: 80, consecutive_poor: 2, interval_seconds: 3600 }),
    historyPing({ at: NOW - 2000, outcome: 'no_gpu', uptime_percentage: null, reason: 'no GPU: it fell off the bus' }),
    historyPing({ at: NOW - 3000, outcome: 'unreachable', uptime_percentage: null, round_trip_seconds: null }),
  ];

  it.each([
    ['poor', poorEntry('agent-002'), pings],
    [
      'all',
      agentEntry('agent-001', {
        gpu: 'GPU-1',
        updated_at: NOW - 60,
        ping: { retries: 2, clock_skew_seconds: -90, pay_interval_ends_at: NOW + 7200 },
      }),
      [],
    ],
    ['fresh', fresh, []],
  ])('says how an agent stands (%s)', async (name, entry, history) => {
    const table = {
      [`GET ${ONE}`]: { body: entry },
      [`GET ${ONE}/history`]: { body: { agent_id: 'x', hours: 24, count: 0, next: null, pings: history } },
    };
    const { code, out, err } = await runAgainst(table, ['show', 'agent-002']);
    expect([code, err]).toEqual([0, '']);
    await expect(`${out}\n`).toMatchFileSnapshot(`golden/agents-show-${name}.txt`);
  });

  it('reads all pages of the history of the hours that are asked for', async () => {
    const table: Table = {
      [`GET ${ONE}`]: { body: agentEntry('a') },
      [`GET ${ONE}/history`]: ({ query }) => {
        const isFirst = !query.includes('before');
        return { body: { next: isFirst ? '17.3' : null, pings: [historyPing({ at: isFirst ? NOW : NOW - 60 })] } };
      },
    };
    const { out, engine } = await runAgainst(table, ['show', 'a:b', '--hours', '0.5', '--json']);
    expect(engine.asked.map(({ path, query }) => `${path}?${query}`)).toEqual([
      '/ping-system/agents/a%3Ab?',
      '/ping-system/agents/a%3Ab/history?hours=0.5&limit=1000',
      '/ping-system/agents/a%3Ab/history?hours=0.5&limit=1000&before=17.3',
    ]);
    expect(JSON.parse(out)).toEqual({
      agent: agentEntry('a'),
      hours: 0.5,
      pings: [historyPing({ at: NOW }), historyPing({ at: NOW - 60 })],
    });
  });
});

describe('gpu-uptime agents register', () => {
  const args = ['register', '--id', 'agent-001', '--url', 'http://agent-host:8001'];
  const registered = {
    result: 'registered',
    agent_token: 'the-secret',
    agent: agentEntry('agent-001', { ping: { next_ping_at: NOW + 3 } }),
  };

  it('prints the token alone on standard output', async () => {
    const more = [
      '--capability',
      'gpu-compute',
      '--capability',
      'x',
      '--metadata',
      'gpu_model=RTX 4090',
      '--metadata',
      'a=b=c',
    ];
    const { engine, ...printed } = await runAgainst({ [REGISTER]: { status: 201, body: registered } }, [
      ...args,
      ...more,
    ]);
    expect(printed).toEqual({
      code: 0,
      out: 'the-secret',
      err: 'agent-001 is registered, and its first ping is due in 3s. Keep its token: it is told only now, and whoever has it may change and remove the agent.',
    });
    expect(engine.asked[0]?.body).toEqual({
      agent_id: 'agent-001',
      agent_url: 'http://agent-host:8001',
      capabilities: ['gpu-compute', 'x'],
      metadata: { gpu_model: 'RTX 4090', a: 'b=c' },
    });
  });

  it.each([
    [{}, [undefined, undefined]],
    [{ GPU_UPTIME_TOKEN: 'g', AGENT_REGISTRATION_TOKEN: 'r' }, ['Bearer g', undefined]],
    [{ AGENT_REGISTRATION_TOKEN: 'r', AGENT_TOKEN: 'a' }, ['Bearer r', 'a']],
  ])('shows the tokens of %j', async (env, headers) => {
    const { engine } = await runAgainst({ [REGISTER]: { status: 201, body: registered } }, args, env);
    expect([engine.asked[0]?.headers.authorization, engine.asked[0]?.headers['agent-token']]).toEqual(headers);
  });

  it.each([
    ['changed', 'agent-001 was changed.'],
    ['unchanged', 'agent-001 is registered already, exactly so.'],
  ])('says that an agent is %s', async (result, err) => {
    const { engine: _, ...printed } = await runAgainst(
      { [REGISTER]: { body: { result, agent: agentEntry('agent-001') } } },
      args,
    );
    expect(printed).toEqual({ code: 0, out: '', err });
  });

  it('does not print a token that is none', async () => {
    const { code, out, err } = await runAgainst(
      { [REGISTER]: { body: { ...registered, agent_token: HOSTILE } } },
      args,
    );
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(
      / does not answer POST \/ping-system\/agents\/register as an engine does \(agent_token: not a token\)/,
    );
  });

  it('passes on what is wrong with a registration', async () => {
    const detail =
      'the registration is not valid: agent_url: it contains a user name: remove everything between // and @';
    const body = { detail, errors: [{ field: 'agent_url', problem: 'it contains a user name' }] };
    const { engine, ...printed } = await runAgainst({ [REGISTER]: { status: 400, body } }, args);
    expect(printed).toEqual({ code: 1, out: '', err: `The engine at ${engine.url} answered HTTP 400: ${detail}.` });
  });
});

describe('gpu-uptime agents remove', () => {
  it.each([
    [['agent-001'], { AGENT_TOKEN: 'from-env' }, 'from-env', undefined],
    [['agent-001', '--agent-token', 'given'], { AGENT_TOKEN: 'from-env' }, 'given', undefined],
    [['agent-001'], { GPU_UPTIME_TOKEN: 'operator' }, undefined, 'Bearer operator'],
  ])('shows the token with %j and %j', async (args, env, agentToken, authorization) => {
    const { engine, ...printed } = await runAgainst(
      { [`DELETE ${ONE}`]: { status: 204, body: '' } },
      ['remove', ...args],
      env,
    );
    expect(printed).toEqual({ code: 0, out: 'agent-001 was removed.', err: '' });
    expect(engine.asked[0]).toMatchObject({ method: 'DELETE', path: '/ping-system/agents/agent-001' });
    expect([engine.asked[0]?.headers['agent-token'], engine.asked[0]?.headers.authorization]).toEqual([
      agentToken,
      authorization,
    ]);
  });

  it('says which token is missing', async () => {
    const way =
      'where that is lost, start the engine with GPU_UPTIME_TOKEN set and send "Authorization: Bearer <GPU_UPTIME_TOKEN>" without it';
    const body = { detail: `send the token of its registration in the header Agent-Token; ${way}` };
    const { code, err } = await runAgainst({ [`DELETE ${ONE}`]: { status: 403, body } }, ['remove', 'agent-001']);
    expect(code).toBe(1);
    expect(err).toMatch(
      /answered HTTP 403: send the token .* Agent-Token; where .* it\. Here the Agent-Token is taken from AGENT_TOKEN or --agent-token\.$/,
    );
  });
});

describe('gpu-uptime agents ping', () => {
  const answered = {
    kind: 'answered',
    gpu_available: true,
    reason: null,
    boot_id: 'b',
    seq: 7,
    continuity: 'complete',
  };
  const pinged = {
    counted: true,
    why_not: null,
    reply: answered,
    outcome: 'good',
    reason: 'first answer: the GPU is there',
    uptime_percentage: null,
    evidence: null,
    round_trip_seconds: 0.0123,
    events: [],
    agent: agentEntry('agent-001'),
  };

  it.each([
    [
      'counts',
      pinged,
      0,
      'agent-001: good, first answer: the GPU is there\n  answered in 12ms\n  next ping in 12m, at an interval of 15m',
    ],
    [
      'comes early',
      {
        ...pinged,
        counted: false,
        why_not: 'it came 700 s before its time: what it found is shown, and changes nothing',
      },
      0,
      'agent-001: good, first answer: the GPU is there\n  answered in 12ms\n  does not count: it came 700 s before its time: what it found is shown, and changes nothing\n  next ping in 12m, at an interval of 15m',
    ],
    [
      'fails',
      {
        ...pinged,
        counted: false,
        why_not: 'a failure is confirmed before it counts: the agent is asked again 2 s after it',
        reply: { kind: 'unreachable', reason: `no route\u001b[0m` },
        outcome: null,
        reason: 'unreachable: no route',
        round_trip_seconds: null,
      },
      1,
      'agent-001: unreachable, unreachable: no route\n  does not count: a failure is confirmed before it counts: the agent is asked again 2 s after it\n  next ping in 12m, at an interval of 15m',
    ],
  ])('says what a ping came to that %s', async (_, body, code, out) => {
    const { engine, ...printed } = await runAgainst({ [`POST ${ONE}/ping`]: { body } }, ['ping', 'agent-001'], {
      GPU_UPTIME_TOKEN: 't',
    });
    expect(printed).toEqual({ code, out, err: '' });
    expect(engine.asked[0]?.headers.authorization).toBe('Bearer t');
  });
});

describe('gpu-uptime agents', () => {
  it.each([
    [
      { status: 404, body: { detail: 'no agent a is registered' } },
      'The engine at URL answered HTTP 404: no agent a is registered.',
    ],
    [
      { status: 409, body: { detail: 'a ping of a is in flight: ask again' } },
      'The engine at URL answered HTTP 409: a ping of a is in flight: ask again.',
    ],
    [
      { status: 500, body: { detail: 'the engine failed to answer; its log says why' } },
      'The engine at URL answered HTTP 500: the engine failed to answer; its log says why.',
    ],
    [
      { status: 503, body: { detail: `stopping${HOSTILE}` } },
      'The engine at URL answered HTTP 503: stoppingevil [2J ]0;title   31m dlrow  next.',
    ],
    [
      { status: 401, body: { detail: 'send the header' } },
      'The engine at URL wants to know who asks: set GPU_UPTIME_TOKEN to the token that the engine was started with.',
    ],
    [
      { status: 502, body: '<html>bad gateway</html>' },
      'URL answered HTTP 502 to GET /ping-system/agents/a, and not in the words of an engine: is it gpu-uptime, and does it run behind what answers there?',
    ],
    [
      { body: '<html>hello</html>' },
      'What answers at URL does not answer GET /ping-system/agents/a as an engine does (is no JSON): is it gpu-uptime, and of this version?',
    ],
    [
      { body: { agent_id: 'a' } },
      'What answers at URL does not answer GET /ping-system/agents/a as an engine does (agent_url: Invalid input: expected string, received undefined): is it gpu-uptime, and of this version?',
    ],
    [
      { status: 302, headers: { location: 'https://else.example/\u0085' } },
      'URL sends on to https://else.example/ (HTTP 302); give the address that answers itself.',
    ],
  ])('says in one sentence what %j means', async (reply, sentence) => {
    const { engine, ...printed } = await runAgainst({ [`GET ${ONE}`]: reply }, ['show', 'a']);
    expect(printed).toEqual({ code: 1, out: '', err: sentence.replaceAll('URL', engine.url) });
  });

  it('says that a token is not the right one', async () => {
    const table = { [`POST ${ONE}/ping`]: { status: 401, body: { detail: 'send the header' } } };
    const { err } = await runAgainst(table, ['ping', 'a'], { GPU_UPTIME_TOKEN: 'wrong' });
    expect(err).toMatch(
      / does not take the token: set GPU_UPTIME_TOKEN to the one that the engine was started with\.$/,
    );
  });

  it('says that no engine is there, and what to do', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, err } = await run(['list', '--server-url', url], { ENGINE_URL: 'http://never.example' });
    expect(code).toBe(1);
    expect(err).toMatch(
      /^No engine answers at http:\/\/127\.0\.0\.1:\d+ \(.*ECONNREFUSED.*\); start one with npm start, or name its address with --server-url or ENGINE_URL\.$/,
    );
  });

  it.each([
    [
      [],
      /^gpu-uptime agents: say what to do, one of list, show, register, ping, remove\n\nusage: gpu-uptime agents list/,
    ],
    [['toString'], /^gpu-uptime agents: say what to do/],
    [['show'], /^gpu-uptime agents: name one agent, as in gpu-uptime agents show agent-001$/],
    [['remove', 'a', 'b'], /^gpu-uptime agents: name one agent, as in gpu-uptime agents remove agent-001$/],
    [['list', '--limit', '0'], /^gpu-uptime agents: --limit needs a number from 1 on, and is "0"$/],
    [['show', 'a', '--hours', '-1'], /^gpu-uptime agents: .*--hours/],
    [['show', 'a', '--hours', 'x'], /^gpu-uptime agents: --hours needs a number above 0, and is "x"$/],
    [
      ['register', '--id', 'a'],
      /^gpu-uptime agents: give --id and --url, as in --id agent-001 --url http:\/\/agent-host:8001$/,
    ],
    [
      ['register', '--id', 'a', '--url', 'b', '--metadata', 'x'],
      /^gpu-uptime agents: --metadata needs NAME=VALUE, .*, and is "x"$/,
    ],
    [
      ['remove', 'a', '--agent-token', 'a b'],
      /^gpu-uptime agents: AGENT_TOKEN \(or --agent-token\) has a blank or a character that no HTTP header can carry/,
    ],
    [
      ['list', '--server-url', 'localhost:8000'],
      /^gpu-uptime agents: --server-url \(or ENGINE_URL\) is "localhost:8000": give the address of an engine, such as http:\/\/127\.0\.0\.1:8000$/,
    ],
    [['list', '--server-url', 'http://user:pass@host'], /^gpu-uptime agents: --server-url \(or ENGINE_URL\) is /],
    [['list', '--colour'], /^gpu-uptime agents: Unknown option '--colour'\n\nusage: gpu-uptime agents list/],
  ])('does not take %j', async (args, problem) => {
    const { code, out, err } = await run(args, {});
    expect([code, out, err]).toEqual([2, '', expect.stringMatching(problem)]);
  });

  it('does not send tokens that no header can carry', async () => {
    const { code, err } = await run(['list'], { GPU_UPTIME_TOKEN: 'a\nb' });
    expect([code, err]).toEqual([2, expect.stringMatching(/^gpu-uptime agents: GPU_UPTIME_TOKEN has a blank or/)]);
  });
});
