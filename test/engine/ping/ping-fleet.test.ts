/** The whole path, with agents on real sockets. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Behaviour } from '../../servers/agent-behaviours.ts';
import { startAgentFleet } from '../../servers/agent-fleet.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { anAgent, aState } from '../store/ping-fixtures.ts';
import { openRealService, quickPolicy } from './real-service.ts';
import { historyOf } from './service-fixtures.ts';

async function serve(count: number, baseIntervalMs: number, behaviours: readonly Behaviour[] = []) {
  const fleet = await startAgentFleet({ count, checkMs: 50, ports: 'shared' });
  onTestFinished(fleet.stop);
  for (const [at, behaviour] of behaviours.entries()) await fleet.behave([fleet.agents[at]?.id ?? ''], behaviour);
  const policy = quickPolicy(baseIntervalMs);
  const running = await openRealService(join(temporaryDirectory(), 'engine.db'), { policy: () => policy });
  const sinceMs = Date.now();
  for (const { id, url } of fleet.agents) {
    const state = aState(sinceMs, { sinceMs });
    await running.agents.add({ agent: anAgent(id, { url }), state, tokenHash: 'hash' }, count);
  }
  const end = new AbortController();
  const run = running.service.run(end.signal);
  const stop = async () => {
    end.abort();
    await run;
  };
  onTestFinished(async () => {
    await stop();
    await running.store.close();
  });
  return { ...running, fleet, stop };
}

describe('a fleet on real sockets', () => {
  it('is pinged, each agent for how it behaves, and none twice at once', async () => {
    const behaviours = ['good', 'garbage', 'unavailable', 'closed', 'no_gpu', 'hangs'] as const;
    const { service, fleet, pings } = await serve(6, 700, behaviours);
    const ids = fleet.agents.map(({ id }) => id);
    const first = async (id: string) => (await historyOf({ pings }, id))[0]?.outcome;
    const outcomes = () => Promise.all(ids.slice(0, 5).map(first));
    while ((await outcomes()).includes(undefined)) await sleep(50);
    expect(await outcomes()).toEqual(['good', 'invalid', 'refused', 'unreachable', 'no_gpu']);
    expect([...(await fleet.report()).values()].map(({ overlaps }) => overlaps)).toEqual(Array(6).fill(0));
    expect(service.stats()).toMatchObject({ inFlight: 1, saveFailures: 0, isScheduling: true });
  });

  it('leaves nothing behind after thousands of pings', async () => {
    const { service, stop } = await serve(200, 50);
    const pinged = async (count: number) => {
      while (service.stats().decided.good < count) await sleep(20);
    };
    await pinged(1000);
    const before = open();
    await pinged(5000);
    // Two hundred agents are being asked at any moment, and a busy machine closes sockets late; what leaks stays.
    await expect.poll(() => open().handles, { timeout: 20_000 }).toBeLessThan(before.handles + 150);
    await stop();
    await expect.poll(() => open().timers, { timeout: 10_000 }).toBeLessThan(10);
    expect(service.stats()).toMatchObject({ inFlight: 0, saveFailures: 0 });
  }, 60_000);
});

/** What the process still waits for. */
function open(): { readonly handles: number; readonly timers: number } {
  const resources = process.getActiveResourcesInfo();
  return { handles: resources.length, timers: resources.filter((name) => name === 'Timeout').length };
}
