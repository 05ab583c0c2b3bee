import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AgentRegistry } from '../../../engine/ping/registry.ts';
import type { StoredAgent } from '../../../engine/store/agent-store.ts';
import { policy } from '../core/fixtures.ts';
import { goodPing, newAgent, START_MS } from '../store/ping-fixtures.ts';
import { LEASE_MS, openRegistry, REGISTRATION, type RegistryFixture, registered } from './registry-fixtures.ts';

function known(registry: AgentRegistry) {
  return [...registry.all()]
    .map(({ agent, state }) => ({ agent, state }))
    .sort((a, b) => (a.agent.id < b.agent.id ? -1 : 1));
}

async function stored({ agents }: RegistryFixture) {
  return (await agents.list(undefined, 10_000)).map(({ agent, state }) => ({ agent, state }));
}

/** A registry whose store does something between reading a page and giving it. */
async function interrupted(fixture: RegistryFixture, meanwhile: (registry: AgentRegistry) => Promise<unknown>) {
  const { agents, pings, clock } = fixture;
  let isReady = false;
  const list = async (after: string | undefined, limit: number): Promise<readonly StoredAgent[]> => {
    const page = await agents.list(after, limit);
    if (isReady) await meanwhile(registry);
    return page;
  };
  const registry = await AgentRegistry.open({
    agents: { ...agents, list },
    pings,
    now: () => clock.nowMs,
    judgeUrl: (text) => ({ kind: 'fit', base: text, host: 'agent-host' }),
    policy: () => policy().ping,
    maxAgents: () => 1000,
  });
  isReady = true;
  return registry;
}

/** A registry whose store does something before it answers a question of one kind, once. */
async function delayed<K extends 'find' | 'change' | 'remove'>(
  { agents, pings, clock }: RegistryFixture,
  kind: K,
  { before = async () => {}, after = async () => {} }: Partial<Record<'before' | 'after', () => Promise<unknown>>>,
) {
  let isReady = false;
  const act = agents[kind] as (...args: readonly unknown[]) => Promise<unknown>;
  const once = async (...args: readonly unknown[]) => {
    if (!isReady) return act(...args);
    isReady = false;
    await before();
    const answer = await act(...args);
    await after();
    return answer;
  };
  const registry = await AgentRegistry.open({
    agents: { ...agents, [kind]: once },
    pings,
    now: () => clock.nowMs,
    judgeUrl: (text) => ({ kind: 'fit', base: text, host: 'agent-host' }),
    policy: () => policy().ping,
    maxAgents: () => 1000,
  });
  return {
    registry,
    begin: () => {
      isReady = true;
    },
  };
}

describe('a registry whose store answers late', () => {
  const decide = async (registry: AgentRegistry, nowMs: number) => {
    const claim = await registry.claim('agent-001', nowMs, LEASE_MS);
    if (claim !== undefined) await registry.record([goodPing(claim, nowMs)]);
  };

  it.each([
    ['found', 'find', REGISTRATION.capabilities, 'unchanged'],
    ['found to be changed', 'find', ['x'], 'changed'],
    ['changed', 'change', ['x'], 'changed'],
  ] as const)('knows what was decided while an agent was %s', async (_, slow, capabilities, kind) => {
    const fixture = await openRegistry();
    const token = await registered(fixture.registry);
    const late: { registry?: AgentRegistry } = {};
    const after = async () => late.registry && decide(late.registry, fixture.clock.nowMs);
    const { registry, begin } = await delayed(fixture, slow, { after });
    late.registry = registry;
    begin();
    const result = await registry.register({ ...REGISTRATION, capabilities }, token);
    expect(result).toMatchObject({ kind, agent: { capabilities }, state: { pings: 1 } });
    expect(known(registry)).toEqual(await stored(fixture));
  });

  it('keeps the agent of somebody else who took the id while its last owner removed it', async () => {
    const fixture = await openRegistry();
    const token = await registered(fixture.registry);
    const before = async () => {
      await fixture.agents.remove('agent-001', undefined);
      await fixture.agents.add(newAgent('agent-001', START_MS), 10);
    };
    const { registry, begin } = await delayed(fixture, 'remove', { before });
    begin();
    expect(await registry.remove('agent-001', { token })).toBe('not_owner');
    expect(known(registry)).toEqual(await stored(fixture));
    expect(registry.size).toBe(1);
  });
});

describe('AgentRegistry.refresh', () => {
  it('takes up what another engine has registered, changed, decided and removed', async () => {
    const fixture = await openRegistry();
    const { registry, another, clock } = fixture;
    for (const id of ['changed', 'decided', 'removed', 'same']) await registered(registry, { agent_id: id });
    const token = await registered(registry, { agent_id: 'again' });
    const elsewhere = await another();
    clock.nowMs += 10_000;
    await registered(elsewhere, { agent_id: 'new' });
    const claim = await elsewhere.claim('decided', clock.nowMs, LEASE_MS);
    if (claim !== undefined) await elsewhere.record([goodPing(claim, clock.nowMs)]);
    await elsewhere.register({ ...REGISTRATION, agent_id: 'again', agent_url: 'http://moved:8001' }, token);
    await elsewhere.remove('removed', 'operator');
    expect(known(registry)).not.toEqual(await stored(fixture));
    await registry.refresh();
    expect(known(registry)).toEqual(await stored(fixture));
    expect(known(registry).map(({ agent }) => agent.id)).toEqual(['again', 'changed', 'decided', 'new', 'same']);
    expect(registry.get('again')?.agent.url).toBe('http://moved:8001');
    expect(registry.get('decided')?.state.pings).toBe(1);
    expect(registry.page({ text: 'moved' }, { limit: 10 }).total).toBe(1);
  });

  it('is right for any number of agents, page by page', async () => {
    const fixture = await openRegistry(1000);
    const { registry, agents } = fixture;
    for (const count of [99, 100, 101, 350]) {
      for (let at = 0; at < count; at++) await agents.add(newAgent(`agent-${at}`, START_MS), 1000);
      await registry.refresh();
      expect(known(registry)).toEqual(await stored(fixture));
    }
    for (let at = 1; at < 350; at += 2) await agents.remove(`agent-${at}`, undefined);
    await registry.refresh();
    expect(registry.size).toBe(175);
    for (let at = 0; at < 350; at += 2) await agents.remove(`agent-${at}`, undefined);
    await registry.refresh();
    expect(registry.size).toBe(0);
  });

  it.each<[string, (registry: AgentRegistry, clock: RegistryFixture['clock']) => Promise<unknown>]>([
    ['removes', (registry) => registry.remove('a', 'operator')],
    [
      'decides',
      async (registry, { nowMs }) => {
        const claim = await registry.claim('a', nowMs, LEASE_MS);
        return claim && registry.record([goodPing(claim, nowMs)]);
      },
    ],
    [
      'registers',
      (registry) => registry.register({ ...REGISTRATION, agent_id: 'b', agent_url: 'http://b' }, undefined),
    ],
  ])('keeps what this engine itself %s while a page is on its way', async (_, meanwhile) => {
    const fixture = await openRegistry();
    await registered(fixture.registry, { agent_id: 'a' });
    const registry = await interrupted(fixture, (self) => meanwhile(self, fixture.clock));
    await registry.refresh();
    expect(known(registry)).toEqual(await stored(fixture));
  });

  it('lets other work in between pages', async () => {
    const { registry, agents } = await openRegistry(1000);
    for (let at = 0; at < 1000; at++) await agents.add(newAgent(`agent-${at}`, START_MS), 1000);
    let turns = 0;
    let isOver = false;
    const counting = (async () => {
      for (; !isOver; turns++) await setImmediate();
    })();
    await registry.refresh();
    isOver = true;
    await counting;
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  it('runs once for all who ask at once, and again for who asks later', async () => {
    const fixture = await openRegistry();
    let lists = 0;
    const registry = await interrupted(fixture, async () => void lists++);
    await Promise.all([registry.refresh(), registry.refresh()]);
    expect(lists).toBe(1);
    await registry.refresh();
    expect(lists).toBe(2);
  });

  it('keeps what is known when the store cannot be read, and goes on when it can be again', async () => {
    const fixture = await openRegistry();
    await registered(fixture.registry, { agent_id: 'a' });
    let isBroken = true;
    const registry = await interrupted(fixture, async () => {
      if (isBroken) throw new Error('the store is away');
    });
    await fixture.agents.remove('a', undefined);
    await expect(registry.refresh()).rejects.toThrow('the store is away');
    expect(registry.size).toBe(1);
    isBroken = false;
    await registry.refresh();
    expect(registry.size).toBe(0);
  });

  it('keeps the state it knows where the stored one is damaged', async () => {
    const { registry, file, clock } = await openRegistry();
    await registered(registry);
    const before = registry.get('agent-001');
    const db = new DatabaseSync(file);
    onTestFinished(() => db.close());
    db.exec(`UPDATE ping_state SET state = '{}'`);
    clock.nowMs += 10_000;
    await registry.refresh();
    expect(registry.get('agent-001')).toEqual(before);
  });
});
