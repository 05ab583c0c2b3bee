import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { initialPingState } from '../../../engine/core/ping/step.ts';
import { policy } from '../core/fixtures.ts';
import { goodPing, START_MS } from '../store/ping-fixtures.ts';
import { LEASE_MS, openRegistry, REGISTRATION, registered } from './registry-fixtures.ts';

const AGENT = {
  id: 'agent-001',
  url: 'http://agent-host:8001',
  capabilities: ['gpu-compute', 'image-generation'],
  metadata: { gpu_model: 'RTX 4090' },
  node: 'agent-host:8001',
  gpu: undefined,
  registeredAtMs: START_MS,
  updatedAtMs: START_MS,
};
const OTHER_OWNER =
  'agent-001 is registered already: send the token of its first registration to change it, or choose another agent_id';

describe('AgentRegistry.register', () => {
  it('keeps the agent with its first state, and gives out its token', async () => {
    const { registry, agents } = await openRegistry();
    const result = await registry.register(REGISTRATION, undefined);
    const state = { ...initialPingState(policy().ping, START_MS), nextDueAtMs: expect.any(Number) };
    expect(result).toEqual({ kind: 'registered', agent: AGENT, state, token: expect.stringMatching(/^[\w-]{43}$/) });
    expect(registry.get('agent-001')).toMatchObject({ agent: AGENT, state });
    expect(await agents.find('agent-001')).toMatchObject({ agent: AGENT, state });
  });

  it('makes first pings due within seconds, and not all at once', async () => {
    const { registry } = await openRegistry();
    for (let at = 0; at < 100; at++) await registered(registry, { agent_id: `agent-${at}` });
    const waits = [...registry.all()].map(({ state }) => state.nextDueAtMs - START_MS);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...waits)).toBeLessThan(5000);
    expect(new Set(waits.map((ms) => Math.floor(ms / 500))).size).toBe(10);
  });

  it('takes the same body for the same agent, with or without the token, in whatever order it is written', async () => {
    const { registry, clock } = await openRegistry();
    const token = await registered(registry, { metadata: { a: 1, b: 'x' } });
    const before = registry.get('agent-001');
    clock.nowMs += 60_000;
    const again = {
      metadata: { b: 'x', a: 1 },
      capabilities: ['image-generation', 'gpu-compute'],
      agent_id: 'agent-001',
    };
    for (const shown of [undefined, token]) {
      const result = await registry.register({ ...again, agent_url: 'HTTP://agent-host:8001/' }, shown);
      expect(result).toEqual({ kind: 'unchanged', agent: before?.agent, state: before?.state });
    }
    expect(registry.size).toBe(1);
  });

  it('changes an agent for its owner, and leaves its state and its token as they are', async () => {
    const { registry, clock, another } = await openRegistry();
    const token = await registered(registry);
    const state = registry.get('agent-001')?.state;
    clock.nowMs += 60_000;
    const moved = { ...REGISTRATION, agent_url: 'http://elsewhere:9000', metadata: { node: 'n1' } };
    const result = await registry.register(moved, token);
    const agent = {
      ...AGENT,
      url: 'http://elsewhere:9000',
      metadata: { node: 'n1' },
      node: 'n1',
      updatedAtMs: clock.nowMs,
    };
    expect(result).toEqual({ kind: 'changed', agent, state });
    expect(registry.get('agent-001')).toMatchObject({ agent, state });
    expect((await another()).get('agent-001')).toMatchObject({ agent, state });
    expect(await registry.register(REGISTRATION, token)).toMatchObject({ kind: 'changed' });
  });

  it.each([
    ['without a token', { agent_url: 'http://thief:1025' }, undefined],
    ['with another token', { agent_url: 'http://thief:1025' }, 'A'.repeat(43)],
    ['with an empty token', { agent_url: 'http://thief:1025' }, ''],
    ['with another token, even to change nothing', {}, 'A'.repeat(43)],
  ])('refuses to change an agent %s', async (_, change, token) => {
    const { registry } = await openRegistry();
    await registered(registry);
    const result = await registry.register({ ...REGISTRATION, ...change }, token);
    expect(result).toEqual({ kind: 'not_owner', reason: OTHER_OWNER });
    expect(registry.get('agent-001')?.agent).toEqual(AGENT);
  });

  it('refuses what is no registration, and more agents than the limit', async () => {
    const { registry } = await openRegistry(1);
    expect(await registry.register({ ...REGISTRATION, agent_id: '' }, undefined)).toMatchObject({ kind: 'invalid' });
    await registered(registry);
    const reason =
      'no more than 1 agents may be registered (ping.max_agents), and there are as many: remove some, or raise ping.max_agents';
    const second = { ...REGISTRATION, agent_id: 'agent-002', agent_url: 'http://another:8001' };
    expect(await registry.register(second, undefined)).toEqual({ kind: 'full', reason });
    expect(await registry.register(REGISTRATION, undefined)).toMatchObject({ kind: 'unchanged' });
    expect(registry.size).toBe(1);
  });

  it('gives an id to one of those who ask for it at once', async () => {
    const { registry } = await openRegistry();
    const urls = Array.from({ length: 20 }, (_, at) => `http://host-${at}:8001`);
    const results = await Promise.all(
      urls.map((url) => registry.register({ ...REGISTRATION, agent_url: url }, undefined)),
    );
    const kinds = results.map(({ kind }) => kind).sort();
    expect(kinds).toEqual([...Array.from({ length: 19 }, () => 'not_owner'), 'registered']);
  });

  it('hears of an agent that another engine has registered', async () => {
    const { registry, another } = await openRegistry();
    const elsewhere = await another();
    const token = await registered(elsewhere);
    expect(await registry.register(REGISTRATION, undefined)).toMatchObject({ kind: 'unchanged', agent: AGENT });
    expect(registry.get('agent-001')?.agent).toEqual(AGENT);
    await elsewhere.remove('agent-001', { token });
    expect(await registry.register(REGISTRATION, token)).toMatchObject({ kind: 'registered' });
  });
});

describe('AgentRegistry.remove', () => {
  it('removes an agent for its owner or the operator, and for nobody else', async () => {
    const { registry, another } = await openRegistry();
    const token = await registered(registry);
    await registered(registry, { agent_id: 'agent-002' });
    expect(await registry.remove('agent-001', { token: `${token}x` })).toBe('not_owner');
    expect(await registry.remove('agent-001', { token: '' })).toBe('not_owner');
    expect(await registry.remove('agent-001', { token })).toBe('removed');
    expect(await registry.remove('agent-001', { token })).toBe('unknown');
    expect(await registry.remove('agent-002', 'operator')).toBe('removed');
    expect([registry.size, (await another()).size]).toEqual([0, 0]);
  });

  it('lets the id be registered anew, by anybody, with another token', async () => {
    const { registry } = await openRegistry();
    const token = await registered(registry);
    await registry.remove('agent-001', { token });
    expect(await registered(registry, { agent_url: 'http://new-owner:8001' })).not.toBe(token);
    expect(await registry.remove('agent-001', { token })).toBe('not_owner');
  });
});

describe('the ownership token', () => {
  it('is kept nowhere, and neither it nor its hash is listed', async () => {
    const { registry, agents, file, clock } = await openRegistry();
    const token = await registered(registry);
    const hash = (await agents.find('agent-001'))?.tokenHash ?? '';
    clock.nowMs += 10_000;
    const [claim] = await registry.claimDue(clock.nowMs, 1, LEASE_MS);
    const shown = [
      registry.get('agent-001'),
      [...registry.all()],
      registry.page({}, { limit: 10 }),
      registry.due(clock.nowMs, 10),
      claim,
      await registry.register(REGISTRATION, token),
      await registry.register({ ...REGISTRATION, capabilities: [] }, 'wrong'),
      registry,
    ].map((value) => JSON.stringify(value));
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(shown.filter((text) => text.includes(token) || text.includes(hash))).toEqual([]);
    const stored = ['', '-wal'].map((suffix) => readFileSync(file + suffix, 'latin1')).join('');
    expect([stored.includes(hash), stored.includes(token)]).toEqual([true, false]);
  });

  it('is another one every time', async () => {
    const { registry } = await openRegistry();
    const tokens: string[] = [];
    for (let at = 0; at < 50; at++) tokens.push(await registered(registry, { agent_id: `a${at}` }));
    expect(new Set(tokens).size).toBe(50);
    expect(tokens.map((token) => Buffer.from(token, 'base64url').length)).toEqual(tokens.map(() => 32));
  });
});

describe('AgentRegistry.page', () => {
  it('gives all agents by id, page by page, also when the last one of a page is removed meanwhile', async () => {
    const { registry } = await openRegistry();
    for (const id of ['c', 'a', 'e', 'd', 'b']) await registered(registry, { agent_id: id });
    const first = registry.page({}, { limit: 2 });
    expect([first.agents.map(({ agent }) => agent.id), first.total, first.next]).toEqual([['a', 'b'], 5, 'b']);
    await registry.remove('b', 'operator');
    const second = registry.page({}, { limit: 2, after: first.next });
    expect([second.agents.map(({ agent }) => agent.id), second.total, second.next]).toEqual([['c', 'd'], 4, 'd']);
    const last = registry.page({}, { limit: 2, after: second.next });
    expect([last.agents.map(({ agent }) => agent.id), last.next]).toEqual([['e'], undefined]);
  });

  it.each([
    [{ capability: 'llm' }, ['b']],
    [{ capability: 'gpu' }, ['a']],
    [{ outcome: 'good' }, ['a']],
    [{ outcome: 'never_pinged' }, ['b', 'c']],
    [{ outcome: 'poor' }, []],
    [{ dueAtMs: START_MS + 10_000 }, ['b', 'c']],
    [{ dueAtMs: START_MS + 10_000, capability: 'llm' }, ['b']],
    [{ text: 'H100' }, ['b']],
    [{ text: 'rack=r1' }, ['a', 'b']],
    [{ text: 'C-HOST' }, ['c']],
    [{ text: '' }, ['a', 'b', 'c']],
  ] as const)('filters by %o', async (filter, ids) => {
    const { registry } = await openRegistry();
    await registered(registry, { agent_id: 'a', capabilities: ['gpu'], metadata: { rack: 'r1' } });
    await registered(registry, { agent_id: 'b', capabilities: ['llm'], metadata: { gpu_model: 'H100', rack: 'r1' } });
    await registered(registry, { agent_id: 'c', capabilities: [], agent_url: 'http://c-host:8001', metadata: {} });
    const claim = await registry.claim('a', START_MS, LEASE_MS);
    if (claim !== undefined) await registry.record([goodPing(claim, START_MS + 9000)]);
    const page = registry.page(filter, { limit: 10 });
    expect([page.agents.map(({ agent }) => agent.id), page.total]).toEqual([ids, ids.length]);
  });
});

describe('pinging through the registry', () => {
  it('tells the index what was decided, and who is due by now', async () => {
    const { registry, clock } = await openRegistry();
    for (const id of ['a', 'b', 'c']) await registered(registry, { agent_id: id });
    clock.nowMs += 10_000;
    const claims = await registry.claimDue(clock.nowMs, 2, LEASE_MS);
    expect(registry.due(clock.nowMs, 2).map(({ agent }) => agent.id)).toEqual(claims.map(({ agent }) => agent.id));
    const results = claims.map((claim) => goodPing(claim, clock.nowMs));
    expect(await registry.record(results)).toEqual(['kept', 'kept']);
    expect(results.map(({ agentId }) => registry.get(agentId)?.state)).toEqual(results.map(({ state }) => state));
    expect(registry.due(clock.nowMs, 10)).toHaveLength(1);
  });

  it('learns from a stale result what became of the agent elsewhere', async () => {
    const { registry, another, clock } = await openRegistry();
    await registered(registry, { agent_id: 'a' });
    await registered(registry, { agent_id: 'b' });
    clock.nowMs += 10_000;
    const slow = await registry.claimDue(clock.nowMs, 10, LEASE_MS);
    const elsewhere = await another();
    clock.nowMs += LEASE_MS;
    const claim = await elsewhere.claim('a', clock.nowMs, LEASE_MS);
    const decided = claim && goodPing(claim, clock.nowMs);
    await elsewhere.record(decided === undefined ? [] : [decided]);
    await elsewhere.remove('b', 'operator');
    expect(await registry.record(slow.map((held) => goodPing(held, clock.nowMs + 1)))).toEqual(['stale', 'stale']);
    expect(registry.get('a')?.state).toEqual(decided?.state);
    expect(registry.get('b')).toBeUndefined();
  });

  it('learns that an agent which cannot be claimed is gone, or decided elsewhere', async () => {
    const { registry, another, clock } = await openRegistry();
    await registered(registry, { agent_id: 'a' });
    await registered(registry, { agent_id: 'b' });
    const elsewhere = await another();
    await elsewhere.remove('a', 'operator');
    const claim = await elsewhere.claim('b', clock.nowMs, LEASE_MS);
    const decided = claim && goodPing(claim, clock.nowMs);
    if (decided !== undefined) await elsewhere.record([decided]);
    await elsewhere.claim('b', clock.nowMs, LEASE_MS);
    expect(await registry.claim('a', clock.nowMs, LEASE_MS)).toBeUndefined();
    expect(await registry.claim('b', clock.nowMs, LEASE_MS)).toBeUndefined();
    expect(registry.get('a')).toBeUndefined();
    expect(registry.get('b')?.state).toEqual(decided?.state);
  });

  it('begins a damaged state anew', async () => {
    const { registry, file, another, clock } = await openRegistry();
    await registered(registry);
    const db = new DatabaseSync(file);
    db.exec(`UPDATE ping_state SET state = '{}'`);
    db.close();
    clock.nowMs += 10_000;
    const restarted = await another();
    const fresh = { pings: 0, slotAtMs: clock.nowMs, sinceMs: clock.nowMs };
    expect(restarted.get('agent-001')?.state).toMatchObject(fresh);
    expect(await restarted.claimDue(clock.nowMs, 1, LEASE_MS)).toMatchObject([{ state: fresh }]);
  });
});
