/** `gpu-uptime ping-system` against a server that answers as an engine would, from a table. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runPingSystem } from '../../../engine/cli/ping-system.ts';
import { freePort } from '../../servers/free-port.ts';
import { type Asked, agentEntry, dashboardAnswer, type FakeEngine, fakeEngine, type Table } from './fake-engine.ts';

const DASHBOARD = 'GET /ping-system/dashboard';
const DUE = 'GET /ping-system/agents/due-for-ping';
const PING = 'POST /ping-system/agents/*/ping';
const REGISTER = 'POST /ping-system/agents/register';
const ONE = '/ping-system/agents/*';

interface Running {
  readonly out: readonly string[];
  readonly err: readonly string[];
  /** What was written to the terminal. */
  readonly screen: readonly string[];
  interrupt(): void;
  readonly ended: Promise<number>;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv, terminal: object = {}): Running {
  const [out, err, screen]: string[][] = [[], [], []];
  const stopping = new AbortController();
  const io = { out: (text: string) => out?.push(text), err: (text: string) => err?.push(text), env, cwd: '/' };
  const write = (text: string) => screen?.push(text);
  const ended = runPingSystem(args, io, { interruption: stopping.signal, terminal: { ...terminal, write } });
  return { out: out ?? [], err: err ?? [], screen: screen ?? [], interrupt: () => stopping.abort(), ended };
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 10) {
    if (waitedMs > 10_000) throw new Error(`waited in vain until ${what}`);
    await delay(10);
  }
}

const asksOf = ({ asked }: FakeEngine, method: string) => asked.filter((one) => one.method === method);

describe('gpu-uptime ping-system', () => {
  it('prints a block at every interval until it is interrupted, and only watches an engine that pings', async () => {
    let total = 127;
    const engine = await fakeEngine({
      [DASHBOARD]: () => {
        total += 1;
        return { body: dashboardAnswer({ agents: { total } }) };
      },
    });
    const running = start(['--dashboard-interval', '0.1'], engine.env);
    await until(() => running.out.length >= 3, 'three blocks were printed');
    running.interrupt();
    expect(await running.ended).toBe(0);
    const counts = running.out.slice(0, 3).map((block) => block.split('\n')[2]?.slice(0, 10));
    expect(counts).toEqual(['128 agents', '129 agents', '130 agents']);
    expect(running.out[0]?.endsWith('\n')).toBe(true);
    expect(new Set(engine.asked.map(({ path }) => path))).toEqual(new Set(['/ping-system/dashboard']));
    expect([running.err, running.screen]).toEqual([[], []]);
  });

  it('draws on a terminal in place, and leaves it as it was', async () => {
    const engine = await fakeEngine({ [DASHBOARD]: { body: dashboardAnswer() } });
    const terminal = { isTTY: true, columns: 60, rows: 24 };
    const running = start(['--server-url', engine.url], { TERM: 'xterm' }, terminal);
    await until(() => running.screen.length >= 3, 'it was drawn twice');
    running.interrupt();
    expect(await running.ended).toBe(0);
    const [opened, frame, again] = running.screen;
    expect([opened, running.screen.at(-1)]).toEqual(['\u001b[?1049h\u001b[?25l', '\u001b[?25h\u001b[?1049l']);
    expect([frame?.slice(0, 15), frame?.slice(-11)]).toEqual([
      '\u001b[?2026h\u001b[H\u001b[1m',
      '\u001b[J\u001b[?2026l',
    ]);
    expect(frame?.split('\r\n')).toHaveLength(8);
    expect(again).not.toContain('\u001b[2J');
    expect(running.out).toEqual([]);
  });

  it.each([
    [{ TERM: 'xterm', NO_COLOR: '1' }, true],
    [{ TERM: 'dumb' }, false],
  ])('honours %j', async (env, isLive) => {
    const engine = await fakeEngine({ [DASHBOARD]: { body: dashboardAnswer({ suspect: true }) } });
    const running = start(['--server-url', engine.url], env, { isTTY: true });
    await until(() => running.screen.length + running.out.length >= (isLive ? 2 : 1), 'it was shown');
    running.interrupt();
    await running.ended;
    expect(running.screen.length > 0).toBe(isLive);
    expect([...running.screen, ...running.out].join('')).not.toContain('\u001b[31m');
  });

  it('goes on when the engine is away for a while, and says so', async () => {
    let isAway = false;
    const engine = await fakeEngine({
      [DASHBOARD]: () =>
        isAway ? { status: 503, body: { detail: 'the engine is starting' } } : { body: dashboardAnswer() },
    });
    const running = start(['--dashboard-interval', '0.1'], engine.env);
    await until(() => running.out.length > 0, 'it was shown');
    isAway = true;
    await until(
      () => running.out.at(-1)?.includes('HTTP 503: the engine is starting. What is shown is ') === true,
      'it says so',
    );
    isAway = false;
    await until(() => running.out.at(-1)?.includes('503') === false, 'it is back');
    running.interrupt();
    expect(await running.ended).toBe(0);
  });

  it('ends at once while the engine keeps it waiting', async () => {
    const engine = await fakeEngine({ [DASHBOARD]: () => undefined });
    const running = start([], engine.env);
    await until(() => engine.asked.length > 0, 'it has asked');
    const startedMs = performance.now();
    running.interrupt();
    expect([await running.ended, running.err]).toEqual([0, []]);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  it.each([
    [
      { status: 404, body: '<html>' },
      /answered HTTP 404 to GET \/ping-system\/dashboard, and not in the words of an engine/,
    ],
    [
      { body: { generated_at: 'now' } },
      /does not answer GET \/ping-system\/dashboard as an engine does \(generated_at: /,
    ],
  ])('ends with 1 where there is no dashboard: %j', async (reply, sentence) => {
    const engine = await fakeEngine({ [DASHBOARD]: reply });
    const running = start([], engine.env);
    expect([await running.ended, running.err]).toEqual([1, [expect.stringMatching(sentence)]]);
  });

  it('ends with 1 where nothing listens', async () => {
    const running = start(['--server-url', `http://127.0.0.1:${await freePort()}`], {});
    expect([await running.ended, running.err]).toEqual([1, [expect.stringMatching(/^No engine answers at /)]]);
  });

  it.each([
    [['--register-agents', '0'], '--register-agents needs a number from 1 to 1000, and is "0"'],
    [['--register-agents', 'five'], '--register-agents needs a number from 1 to 1000, and is "five"'],
    [['--dashboard-interval', '0'], '--dashboard-interval needs seconds from 0.1 to 86400, and is "0"'],
    [['--dashboard-interval', '1e3'], '--dashboard-interval needs seconds from 0.1 to 86400, and is "1e3"'],
    [['--concurrency', '501'], '--concurrency needs a number from 1 to 500, and is "501"'],
    [
      ['--server-url', 'ftp://x'],
      '--server-url (or ENGINE_URL) is "ftp://x": give the address of an engine, such as http://127.0.0.1:8000',
    ],
  ])('does not take %j', async (args, problem) => {
    const running = start(args, {});
    expect([await running.ended, running.err]).toEqual([2, [`gpu-uptime ping-system: ${problem}`]]);
  });
});

const external = { [DASHBOARD]: { body: dashboardAnswer({ scheduler: 'external' }) } };

function dueAnswer(ids: readonly string[], scheduler = 'external') {
  return { body: { total: ids.length, count: ids.length, agents: ids.map((id) => agentEntry(id)), scheduler } };
}

describe('gpu-uptime ping-system, where the engine leaves pings to others', () => {
  it('has every due agent pinged, at most so many at once and one at a time', async () => {
    const due = new Set(Array.from({ length: 40 }, (_, at) => `agent-${at}`));
    const inFlight = new Set<string>();
    let [most, doubled] = [0, 0];
    const engine = await fakeEngine({
      ...external,
      [DUE]: () => dueAnswer([...due]),
      [PING]: async ({ path }) => {
        const id = path.split('/')[3] ?? '';
        if (inFlight.has(id) || !due.has(id)) doubled += 1;
        inFlight.add(id);
        most = Math.max(most, inFlight.size);
        await delay(100);
        inFlight.delete(id);
        due.delete(id);
        return { body: { counted: true } };
      },
    });
    const running = start(['--concurrency', '8', '--dashboard-interval', '0.2'], {
      ...engine.env,
      GPU_UPTIME_TOKEN: 't',
    });
    await until(() => running.out.at(-1)?.includes('0 in flight, 40 done') === true, 'all were pinged');
    running.interrupt();
    expect(await running.ended).toBe(0);
    expect([most, doubled]).toEqual([8, 0]);
    expect(asksOf(engine, 'POST')).toHaveLength(40);
    expect(asksOf(engine, 'POST')[0]?.headers.authorization).toBe('Bearer t');
  });

  it('tolerates agents that are busy or gone, and says what fails', async () => {
    const engine = await fakeEngine({
      ...external,
      [DUE]: dueAnswer(['busy', 'gone', 'broken']),
      'POST /ping-system/agents/busy/ping': { status: 409, body: { detail: 'in flight' } },
      'POST /ping-system/agents/gone/ping': { status: 404, body: { detail: 'no such agent' } },
      'POST /ping-system/agents/broken/ping': { status: 500, body: { detail: 'the engine failed to answer' } },
    });
    const running = start(['--dashboard-interval', '0.1'], engine.env);
    await until(() => running.out.at(-1)?.includes('0 done, 1 were busy, 1 failed') === true, 'it says so');
    await delay(1200);
    expect(running.out.at(-1)).toContain('HTTP 500: the engine failed to answer.');
    running.interrupt();
    expect(await running.ended).toBe(0);
    // Agents that could not be pinged are left alone for a while, though they are due at every look.
    const asked = asksOf(engine, 'POST').map(({ path }) => path.split('/')[3]);
    expect(asked.filter((id) => id !== 'gone').toSorted()).toEqual(['broken', 'busy']);
  });

  it('gives up pings in flight when it is interrupted', async () => {
    const engine = await fakeEngine({ ...external, [DUE]: dueAnswer(['a']), [PING]: () => undefined });
    const running = start([], engine.env);
    await until(() => asksOf(engine, 'POST').length > 0, 'a ping is in flight');
    const startedMs = performance.now();
    running.interrupt();
    expect(await running.ended).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  it('ends with 1 where the engine takes no pings from it', async () => {
    const refusal = { status: 401, body: { detail: 'send the header' } };
    const engine = await fakeEngine({ ...external, [DUE]: dueAnswer(['a']), [PING]: refusal });
    const running = start([], engine.env, { isTTY: true });
    expect(await running.ended).toBe(1);
    expect(running.err).toEqual([expect.stringMatching(/wants to know who asks: set GPU_UPTIME_TOKEN/)]);
    expect(running.screen.at(-1)).toBe('\u001b[?25h\u001b[?1049l');
  });

  it('stops pinging when the engine does it again', async () => {
    let scheduler = 'external';
    const engine = await fakeEngine({
      [DASHBOARD]: () => ({ body: dashboardAnswer({ scheduler }) }),
      [DUE]: dueAnswer([]),
    });
    const running = start(['--dashboard-interval', '0.1'], engine.env);
    await until(() => engine.asked.some(({ path }) => path.endsWith('due-for-ping')), 'it asks who is due');
    scheduler = 'engine';
    await until(() => running.out.at(-1)?.includes('this only watches') === true, 'it says so');
    const before = engine.asked.filter(({ path }) => path.endsWith('due-for-ping')).length;
    await delay(1200);
    expect(engine.asked.filter(({ path }) => path.endsWith('due-for-ping'))).toHaveLength(before);
    running.interrupt();
    await running.ended;
  });
});

/** An engine that takes test agents, pings the first one through HTTP, and knows the tokens it gave out. */
async function registry(more: Table = {}) {
  const tokens = new Map<string, string>();
  const urls = new Map<string, string>();
  const engine = await fakeEngine({
    [DASHBOARD]: { body: dashboardAnswer() },
    [`GET ${ONE}`]: ({ path }) => {
      const id = path.split('/')[3] ?? '';
      return tokens.has(id)
        ? { body: agentEntry(id) }
        : { status: 404, body: { detail: `no agent ${id} is registered` } };
    },
    [REGISTER]: ({ body }) => {
      const { agent_id: id, agent_url: url } = body as { agent_id: string; agent_url: string };
      tokens.set(id, `token-of-${id}`);
      urls.set(id, url);
      return { status: 201, body: { result: 'registered', agent_token: `token-of-${id}`, agent: agentEntry(id) } };
    },
    [PING]: async ({ path }) => {
      const id = path.split('/')[3] ?? '';
      const answer = await fetch(`${urls.get(id)}/agent/uptime-since-last-ping`);
      const reply = { kind: answer.ok ? 'answered' : 'invalid' };
      const round = { round_trip_seconds: 0.01, agent: agentEntry(id) };
      const why = {
        counted: true,
        why_not: null,
        outcome: 'good',
        reason: null,
        uptime_percentage: null,
        evidence: null,
      };
      return { body: { ...why, reply, ...round } };
    },
    [`DELETE ${ONE}`]: ({ path, headers }: Asked) => {
      const id = path.split('/')[3] ?? '';
      if (headers['agent-token'] !== tokens.get(id)) return { status: 403, body: { detail: 'not the token' } };
      tokens.delete(id);
      return { status: 204, body: '' };
    },
    ...more,
  });
  return { engine, tokens, urls };
}

describe('gpu-uptime ping-system --register-agents', () => {
  it.each([
    [['--register-agents'], 3],
    [['--register-agents', '5'], 5],
    [['--register-agents', '--dashboard-interval', '7'], 3],
  ])('%j registers test agents that answer, and removes them at the end', async (args, count) => {
    const { engine, tokens, urls } = await registry();
    const running = start(args, engine.env);
    await until(() => running.out.length >= 2, 'they are registered');
    const ids = Array.from({ length: count }, (_, at) => `test-agent-00${at + 1}`);
    expect([...tokens.keys()]).toEqual(ids);
    expect(running.out[0]?.split('\n').slice(0, 4)).toEqual([
      'Test agents are registered:',
      '  test-agent-001 is always fine',
      '  test-agent-002 loses its GPU for one minute of every five',
      '  test-agent-003 leaves every third ping, and all for a minute after it, without an answer',
    ]);
    const url = urls.get('test-agent-001') ?? '';
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/test-agent-001$/);
    expect(asksOf(engine, 'POST')[0]?.body).toEqual({
      agent_id: 'test-agent-001',
      agent_url: url,
      capabilities: ['test'],
      metadata: { gpu_model: 'simulated test GPU', test: true },
    });
    running.interrupt();
    expect(await running.ended).toBe(0);
    expect([tokens.size, running.out.at(-1), running.err]).toEqual([0, `${count} test agents were removed.`, []]);
    await expect(fetch(`${url}/agent/health`)).rejects.toThrow('fetch failed');
  });

  it('leaves the agents of others their ids', async () => {
    const { engine, tokens } = await registry();
    tokens.set('test-agent-001', 'somebody else').set('test-agent-003', 'somebody else');
    const running = start(['--register-agents', '2'], engine.env);
    await until(() => running.out.length >= 2, 'they are registered');
    expect([...tokens.keys()]).toEqual(['test-agent-001', 'test-agent-003', 'test-agent-002', 'test-agent-004']);
    running.interrupt();
    await running.ended;
    expect([...tokens.keys()]).toEqual(['test-agent-001', 'test-agent-003']);
  });

  it('says what to do where the policy refuses loopback agents', async () => {
    const problem =
      '127.0.0.1 is a loopback address, which the policy allows only with ping.allow_loopback, or with its network in ping.allow_networks';
    const detail = `the registration is not valid: agent_url: ${problem}`;
    const refusal = { status: 400, body: { detail, errors: [{ field: 'agent_url', problem }] } };
    const { engine } = await registry({ [REGISTER]: refusal });
    const running = start(['--register-agents'], engine.env);
    expect([await running.ended, running.out, running.err]).toEqual([
      1,
      [],
      [
        `The engine at ${engine.url} answered HTTP 400: ${detail}. Test agents are on 127.0.0.1: start the engine with a policy that allows it (ping.allow_loopback: true), such as POLICY_FILE=rules/policy.local.yml.`,
      ],
    ]);
  });

  it('takes back what is registered where the engine does not get through to it', async () => {
    const reply = { kind: 'unreachable', reason: 'connect ECONNREFUSED' };
    const why = { counted: false, why_not: 'r', outcome: null, reason: null, uptime_percentage: null, evidence: null };
    const pinged = { ...why, reply, round_trip_seconds: null, agent: agentEntry('a') };
    const { engine, tokens } = await registry({ [PING]: { body: pinged } });
    const running = start(['--register-agents'], engine.env);
    expect([await running.ended, tokens.size]).toEqual([1, 0]);
    expect(running.err).toEqual([
      `The engine at ${engine.url} does not reach the test agents on 127.0.0.1 (connect ECONNREFUSED). It probably runs in a container or behind a tunnel: run the command where the engine runs.`,
    ]);
  });

  it('says how to remove agents that it could not remove itself', async () => {
    const { engine } = await registry();
    const running = start(['--register-agents', '2'], engine.env);
    await until(() => running.out.length >= 2, 'they are registered');
    await engine.close();
    running.interrupt();
    expect(await running.ended).toBe(0);
    expect(running.err[0]?.split('\n')).toEqual([
      expect.stringMatching(/^No engine answers at .* Test agents that are still registered can be removed later:$/),
      `  AGENT_TOKEN=token-of-test-agent-001 gpu-uptime agents remove test-agent-001 --server-url ${engine.url}`,
      `  AGENT_TOKEN=token-of-test-agent-002 gpu-uptime agents remove test-agent-002 --server-url ${engine.url}`,
    ]);
  });

  it('removes what is registered when it is interrupted meanwhile', async () => {
    let isSlow = false;
    const world = await registry();
    const register = world.engine.table[REGISTER];
    world.engine.table[REGISTER] = async (asked) => {
      if (isSlow) await delay(300);
      isSlow = true;
      return typeof register === 'function' ? register(asked) : register;
    };
    const running = start(['--register-agents', '3'], world.engine.env);
    await until(() => asksOf(world.engine, 'POST').length === 2, 'the second is being registered');
    running.interrupt();
    expect([await running.ended, world.tokens.size]).toEqual([0, 0]);
    expect(running.out).toEqual(['2 test agents were removed.']);
  });
});
