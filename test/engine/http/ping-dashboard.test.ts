import { describe, expect, it } from 'vitest';
import { answered, claim, UP } from '../core/ping/fixtures.ts';
import { registered } from '../ping/registry-fixtures.ts';
import { START_MS } from '../store/ping-fixtures.ts';
import { type PingServing, servePings } from './ping-serving.ts';

const HOUR_MS = 3_600_000;
const DASHBOARD = 'GET /ping-system/dashboard';
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

/** One agent that boasts, one that was never pinged. */
async function twoAgents(): Promise<PingServing> {
  const serving = await servePings();
  const { ask, clock, fake, registry } = serving;
  await registered(registry, { agent_id: 'boasting', agent_url: 'http://boasting:8001' });
  for (const answer of [UP, answered({ claimed: claim(1) })]) {
    clock.nowMs = registry.get('boasting')?.state.nextDueAtMs ?? 0;
    fake.answer = answer;
    fake.observed = claim(0.9);
    await ask('POST /ping-system/agents/boasting/ping');
  }
  await registered(registry, { agent_id: 'new' });
  return serving;
}

describe('GET /ping-system/dashboard', () => {
  const NONE = { good: 0, unobserved: 0, poor: 0, no_gpu: 0, refused: 0, invalid: 0, unreachable: 0 };

  it('shows all agents at a glance', async () => {
    const { ask, clock, fake, registry } = await twoAgents();
    fake.figures = {
      isScheduling: false,
      isSuspect: true,
      suspectSinceMs: START_MS - 60_000,
      inFlight: 4,
      lagMs: 12.3456,
      worstLagMs: 2500,
    };
    const state = registry.get('boasting')?.state;
    const { status, headers, body } = await ask(DASHBOARD);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect([status, body]).toEqual([
      200,
      {
        generated_at: clock.nowMs / 1000,
        scheduler: 'external',
        suspect: true,
        suspect_since: START_MS / 1000 - 60,
        agents: {
          total: 2,
          by_status: { ...NONE, poor: 1, never_pinged: 1 },
          due: 0,
          in_flight: 4,
          escalated: 1,
          never_pinged: 1,
        },
        lag_seconds: 0.012346,
        worst_lag_seconds: 2.5,
        pings_24h: { total: 2, by_outcome: { ...NONE, good: 1, poor: 1 }, mean_round_trip_seconds: 0.012 },
        next_due_at: (registry.get('new')?.state.nextDueAtMs ?? 0) / 1000,
        worst: [(await ask('GET /ping-system/agents/boasting')).body],
        divergent: [
          {
            agent_id: 'boasting',
            node: 'boasting:8001',
            from: (state?.lastEvidence?.fromMs ?? 0) / 1000,
            to: (state?.lastEvidence?.toMs ?? 0) / 1000,
            claimed: { uptime_percentage: 100, coverage_percentage: 100 },
            observed: { uptime_percentage: 90, coverage_percentage: 100 },
            divergence_percentage_points: 10,
          },
        ],
      },
    ]);
  });

  it('takes nobody who is being asked for due or late, nor does any list', async () => {
    const { ask, clock, fake, registry } = await servePings();
    for (const id of ['asked', 'waiting']) await registered(registry, { agent_id: id, agent_url: `http://${id}:8001` });
    fake.flying.add('asked');
    clock.nowMs += HOUR_MS;
    const nextDueAtMs = registry.get('waiting')?.state.nextDueAtMs ?? 0;
    expect(await ask(DASHBOARD)).toMatchObject({ body: { agents: { due: 1 }, next_due_at: nextDueAtMs / 1000 } });
    expect(await ask('GET /ping-system/agents/due-for-ping')).toMatchObject({
      body: { total: 1, count: 1, agents: [{ agent_id: 'waiting', ping: { is_due: true } }] },
    });
    expect(await ask('GET /ping-system/agents/asked')).toMatchObject({ body: { ping: { is_due: false } } });
    const { body } = await ask('GET /ping-system/agents/asked', { headers: BROWSER });
    expect(body).toContain('being asked');
  });

  it('is empty where nobody is registered', async () => {
    const { ask } = await servePings();
    expect((await ask(DASHBOARD)).body).toEqual({
      generated_at: START_MS / 1000,
      scheduler: 'engine',
      suspect: false,
      suspect_since: null,
      agents: {
        total: 0,
        by_status: { ...NONE, never_pinged: 0 },
        due: 0,
        in_flight: 0,
        escalated: 0,
        never_pinged: 0,
      },
      lag_seconds: null,
      worst_lag_seconds: null,
      pings_24h: { total: 0, by_outcome: NONE, mean_round_trip_seconds: null },
      next_due_at: null,
      worst: [],
      divergent: [],
    });
  });

  it('refuses parameters', async () => {
    const { ask } = await servePings();
    expect(await ask(`${DASHBOARD}?refresh=30`)).toMatchObject({ status: 400 });
  });
});

describe('in a browser', () => {
  it.each([
    [DASHBOARD, '<h1>Agents</h1>', 'ping-system/agents/boasting'],
    ['GET /ping-system/agents?q=boast&limit=1', '1 agent matches', 'ping-system/agents/boasting'],
    ['GET /ping-system/agents?limit=1', '2 agents match', 'ping-system/agents?limit=1&amp;after=boasting'],
    ['GET /ping-system/agents/boasting', 'uptime 90.0% &lt; 99%', '+10.0 pp'],
  ])('%s is a page', async (request, ...texts) => {
    const { ask } = await twoAgents();
    const { status, headers, body } = await ask(request, { headers: BROWSER });
    expect([status, headers.get('vary')]).toEqual([200, 'Accept']);
    expect(headers.get('content-type')).toMatch(/^text\/html/);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const text of texts) expect(body).toContain(text);
  });

  it.each(['*/*', 'application/json', 'application/json, text/html', 'text/plain'])(
    'is told apart from a program that accepts %s',
    async (accept) => {
      const { ask } = await twoAgents();
      const { headers } = await ask(DASHBOARD, { headers: { accept } });
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      expect(headers.get('vary')).toBe('Accept');
    },
  );

  it('still hears what is wrong', async () => {
    const { ask } = await servePings();
    expect(await ask('GET /ping-system/agents?limit=0', { headers: BROWSER })).toMatchObject({ status: 400 });
    expect(await ask('GET /ping-system/agents/agent-9', { headers: BROWSER })).toMatchObject({ status: 404 });
  });
});

describe('the page at /', () => {
  it('leads to agents', async () => {
    const { ask } = await servePings();
    const { body } = await ask('GET /');
    for (const path of [
      '/ping-system/dashboard',
      '/ping-system/agents',
      '/ping-system/agents/due-for-ping',
      '/sd/agents',
    ]) {
      expect(body).toContain(`<a href=".${path}">`);
      expect(await ask(`GET ${path}`)).toMatchObject({ status: 200 });
    }
  });
});
