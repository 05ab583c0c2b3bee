/** An engine in a process of its own, and agents in another, until the engine is killed in the middle of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type OpenedStore, openSqliteStore } from '../../../engine/store/sqlite.ts';
import { startAgentFleet } from '../../servers/agent-fleet.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { anAgent, aState } from '../store/ping-fixtures.ts';
import { openRealService, quickPolicy, sleepFor } from './real-service.ts';
import { HOUR, historyOf, storedState } from './service-fixtures.ts';

const PROGRAM = fileURLToPath(new URL('./service-process.ts', import.meta.url));

async function startEngine(file: string, baseIntervalMs: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, file, String(baseIntervalMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

async function openFleet(count: number) {
  const fleet = await startAgentFleet({ count, checkMs: 50 });
  onTestFinished(fleet.stop);
  const file = join(temporaryDirectory(), 'engine.db');
  const stores = openSqliteStore(file);
  onTestFinished(() => stores.store.close());
  const sinceMs = Date.now();
  for (const { id, url } of fleet.agents) {
    const state = aState(sinceMs, { sinceMs });
    await stores.agents.add({ agent: anAgent(id, { url }), state, tokenHash: 'hash' }, count);
  }
  return { fleet, file, stores };
}

/** Every agent stands where its newest ping left it, and each ping is there once. */
async function expectWholeHistory(stores: OpenedStore): Promise<number> {
  let decided = 0;
  for (const { agent, state } of await stores.agents.list(undefined, 1000)) {
    const records = await historyOf(stores, agent.id);
    expect(records.map(({ sequence }) => sequence)).toEqual(records.map((_, at) => at + 1));
    const newest = records.at(-1);
    expect([state?.pings, state?.lastPingAtMs]).toEqual([records.length, newest?.atMs]);
    expect(records.map(({ outcome }) => outcome)).toEqual(records.map(() => 'good'));
    decided += records.length;
  }
  const totals = await stores.pings.totals(0);
  expect(totals.reduce((sum, { pings }) => sum + pings, 0)).toBe(decided);
  return decided;
}

describe('an engine that is killed', () => {
  it('again and again loses no ping that was decided, and counts none twice', async () => {
    const { fleet, file, stores } = await openFleet(40);
    let before = 0;
    for (let round = 0; round < 4; round++) {
      const engine = await startEngine(file, 100);
      await sleep(900 + 130 * round);
      await kill(engine);
      const decided = await expectWholeHistory(stores);
      expect(decided).toBeGreaterThan(before);
      before = decided;
    }
    expect([...(await fleet.report()).values()].map(({ overlaps }) => overlaps)).toEqual(Array(40).fill(0));
  }, 40_000);

  it('while agents think leaves them to the next engine, when the leases have run out, as if it had not asked', async () => {
    const { fleet, file, stores } = await openFleet(3);
    const ids = fleet.agents.map(({ id }) => id);
    await fleet.behave(ids, 'hangs');
    const before = await Promise.all(ids.map((id) => storedState(stores, id)));
    const engine = await startEngine(file, 60_000);
    while ([...(await fleet.report()).values()].some(({ atMs }) => atMs.length === 0)) await sleep(20);
    await kill(engine);
    const left = await Promise.all(ids.map((id) => storedState(stores, id)));
    // An engine that starts may move a ping that is overdue by a little.
    expect(left).toEqual(before.map((state) => ({ ...state, nextDueAtMs: expect.any(Number) })));
    expect(await stores.pings.claimDue(Date.now(), 10, HOUR)).toEqual([]);
    await fleet.behave(ids, 'good');
    // The leases have run out by the clock of the next engine, which is half a minute ahead.
    const now = () => Date.now() + 31_000;
    const policy = quickPolicy(60_000);
    const clock = { now, elapsed: () => performance.now(), sleep: sleepFor };
    const next = await openRealService(file, { policy: () => policy, clock });
    onTestFinished(() => next.store.close());
    const end = new AbortController();
    const running = next.service.run(end.signal);
    while (next.service.stats().decided.good < 3) await sleep(20);
    end.abort();
    await running;
    expect(await expectWholeHistory(stores)).toBe(3);
  }, 40_000);
});
