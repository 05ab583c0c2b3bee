import { describe, expect, it } from 'vitest';
import { policy } from '../core/fixtures.ts';
import { goodPing } from '../store/ping-fixtures.ts';
import { LEASE_MS, openRegistry, REGISTRATION, registered } from './registry-fixtures.ts';

describe('a URL or a GPU', () => {
  const metadata = { gpu_uuid: 'GPU-1' };
  const way = 'remove agent-001 first, or send its token and agent_id agent-001 to change that one';
  const urlTaken = {
    kind: 'taken',
    reason: `http://agent-host:8001 belongs to agent-001, and a URL has one agent: ${way}`,
  };
  const gpuTaken = { kind: 'taken', reason: `the GPU GPU-1 belongs to agent-001, and a GPU has one agent: ${way}` };

  it('has one agent, whoever registers another or changes to it', async () => {
    const { registry, another } = await openRegistry();
    await registered(registry, { agent_id: 'agent-001', agent_url: REGISTRATION.agent_url, metadata });
    const elsewhere = await another();
    const url = { ...REGISTRATION, agent_id: 'agent-002' };
    const gpu = { ...url, agent_url: 'http://second:8001', metadata };
    const token = await registered(registry, { agent_id: 'agent-002' });
    for (const engine of [registry, elsewhere]) {
      expect(await engine.register({ ...url, agent_id: 'agent-003' }, undefined)).toEqual(urlTaken);
      expect(await engine.register({ ...gpu, agent_id: 'agent-003' }, undefined)).toEqual(gpuTaken);
      expect(await engine.register(url, token)).toEqual(urlTaken);
      expect(await engine.register(gpu, token)).toEqual(gpuTaken);
    }
    await registry.remove('agent-001', 'operator');
    expect(await registry.register({ ...url, metadata }, token)).toMatchObject({ kind: 'changed' });
  });
});

describe('an agent that leaves', () => {
  const ping = policy().ping;
  const keptMs = Math.max(ping.maxIntervalMs, ping.graceIntervalMs);

  /** Escalated as it is removed, and not due for long. */
  async function leaving() {
    const fixture = await openRegistry();
    const { registry, clock } = fixture;
    const token = await registered(registry, { metadata: { gpu_uuid: 'GPU-1' } });
    const claim = await registry.claim('agent-001', clock.nowMs, LEASE_MS);
    if (claim === undefined) throw new Error('it cannot be claimed');
    const bad = { ...goodPing(claim, clock.nowMs), record: undefined };
    const state = { ...bad.state, consecutivePoor: 3, nextDueAtMs: clock.nowMs + 12 * 3_600_000 };
    await registry.record([{ ...bad, state }]);
    expect(await registry.remove('agent-001', { token })).toBe('removed');
    return { ...fixture, state };
  }

  it.each([
    ['with its id', { agent_id: 'agent-001', agent_url: 'http://other:8001' }],
    ['with its URL', { agent_id: 'agent-002', agent_url: 'http://agent-host:8001' }],
    ['with its GPU', { agent_id: 'agent-002', agent_url: 'http://other:8001', metadata: { gpu_uuid: 'GPU-1' } }],
  ])('and comes back %s goes on from where it stood', async (_, change) => {
    const { registry, clock, state } = await leaving();
    clock.nowMs += keptMs - 1;
    const result = await registry.register({ ...REGISTRATION, ...change }, undefined);
    expect(result).toMatchObject({ kind: 'registered', state });
    expect(registry.get(change.agent_id)?.state).toEqual(state);
  });

  it('and comes back when its time is over, or with nothing of its own, begins anew', async () => {
    const { registry, clock } = await leaving();
    await registered(registry, { agent_id: 'agent-002' });
    expect(registry.get('agent-002')?.state.consecutivePoor).toBe(0);
    clock.nowMs += keptMs;
    await registered(registry);
    expect(registry.get('agent-001')?.state).toMatchObject({ pings: 0, slotAtMs: clock.nowMs });
  });

  it('begins anew when the operator removes it, also after it has left', async () => {
    const { registry } = await leaving();
    expect(await registry.remove('agent-001', 'operator')).toBe('removed');
    expect(await registry.remove('agent-001', 'operator')).toBe('unknown');
    await registered(registry, { metadata: { gpu_uuid: 'GPU-1' } });
    expect(registry.get('agent-001')?.state).toMatchObject({ pings: 0, consecutivePoor: 0 });
  });

  it('is forgotten when its time is over', async () => {
    const { registry, clock } = await leaving();
    clock.nowMs += keptMs - 1;
    expect(await registry.forgetDeparted(10)).toBe(0);
    clock.nowMs += 1;
    expect([await registry.forgetDeparted(2), await registry.forgetDeparted(2)]).toEqual([2, 1]);
  });
});
