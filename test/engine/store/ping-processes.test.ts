import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { newAgent, type PingStores } from './ping-fixtures.ts';
import { expectNothingHalfWritten, startPinger } from './pinging-engines.ts';

async function filledStore(
  agents: number,
): Promise<PingStores & { readonly file: string; readonly ids: readonly string[] }> {
  const file = join(temporaryDirectory(), 'engine.db');
  const { store, ...stores } = openSqliteStore(file);
  onTestFinished(() => store.close());
  const ids = Array.from({ length: agents }, (_, at) => `agent-${String(at).padStart(3, '0')}`);
  for (const id of ids) await stores.agents.add(newAgent(id, 0), agents);
  return { ...stores, file, ids };
}

describe('engines that share a store', () => {
  it('ping every agent once, each its own', async () => {
    const { file, ids, ...stores } = await filledStore(300);
    const pinging = { leaseMs: 60_000, pauseMs: 3, nextInMs: 3_600_000 };
    const pingers = await Promise.all([startPinger(file, pinging), startPinger(file, pinging)]);
    for (const { begin } of pingers) begin();
    await Promise.all(pingers.map(({ ended }) => ended));
    const pinged = pingers.map(({ lines }) => lines.flatMap((line) => line.split(' ')));
    expect(pinged.flat().sort()).toEqual(ids);
    expect(Math.min(...pinged.map(({ length }) => length))).toBeGreaterThan(20);
    expect(await expectNothingHalfWritten(stores)).toBe(300);
  });

  it('take over from one that was killed, when its leases end', async () => {
    const { file, pings } = await filledStore(5);
    const leaseMs = 60_000;
    const pinger = await startPinger(file, { leaseMs, pauseMs: 600_000, nextInMs: 0 });
    pinger.begin();
    while (pinger.lines.length === 0) await sleep(5);
    pinger.child.kill('SIGKILL');
    await pinger.ended;
    expect(await pings.claimDue(Date.now(), 10, leaseMs)).toEqual([]);
    expect(await pings.claimDue(Date.now() + leaseMs, 10, leaseMs)).toHaveLength(5);
  });

  it('leave nothing half written when they are killed in the middle of it', async () => {
    const { file, ...stores } = await filledStore(50);
    let before = 0;
    for (let round = 0; round < 4; round++) {
      const pinging = { leaseMs: 1, pauseMs: 0, nextInMs: 0 };
      const pingers = await Promise.all([startPinger(file, pinging), startPinger(file, pinging)]);
      for (const { begin } of pingers) begin();
      await sleep(150 + 90 * round);
      for (const { child } of pingers) child.kill('SIGKILL');
      await Promise.all(pingers.map(({ ended }) => ended));
      const decided = await expectNothingHalfWritten(stores);
      expect(decided).toBeGreaterThan(before);
      before = decided;
    }
    const db = new DatabaseSync(file);
    expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    db.close();
  });
});
