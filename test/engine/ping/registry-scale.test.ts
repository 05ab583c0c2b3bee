import { describe, expect, it } from 'vitest';
import { goodPing, newAgent, START_MS } from '../store/ping-fixtures.ts';
import { LEASE_MS, openRegistry } from './registry-fixtures.ts';

const AGENTS = 10_000;
const AT_ONCE = 100;

/** Of this process, so that whatever else the machine does counts little. */
async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

describe('a registry of ten thousand agents', () => {
  it('is loaded within seconds, and claims and records a ping for less than half a millisecond of CPU', async () => {
    const { agents, another } = await openRegistry(AGENTS);
    for (let at = 0; at < AGENTS; at++) await agents.add(newAgent(`agent-${at}`, START_MS + at), AGENTS);
    let registry = await another();
    const loadMs = await cpuMs(async () => {
      registry = await another();
    });
    expect(registry.size).toBe(AGENTS);
    const pinged = new Set<string>();
    const pingMs = await cpuMs(async () => {
      for (let nowMs = START_MS + AT_ONCE - 1; nowMs < START_MS + 30 * AT_ONCE; nowMs += AT_ONCE) {
        const claims = await registry.claimDue(nowMs, AT_ONCE, LEASE_MS);
        for (const { agent } of claims) pinged.add(agent.id);
        await registry.record(claims.map((claim) => goodPing(claim, nowMs)));
      }
    });
    expect(pinged.size).toBe(30 * AT_ONCE);
    expect(loadMs).toBeLessThan(3000);
    expect(pingMs / pinged.size).toBeLessThan(0.5);
  });
});
