/** Child process: an engine that pings whoever is due in a store, and says whom. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPostgresStore } from '../../../engine/store/postgres.ts';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { goodPing, type PingStores } from './ping-fixtures.ts';

/** A file of SQLite, or the address of a PostgreSQL database. */
const [address = '', leaseMs = '', pauseMs = '', nextInMs = ''] = process.argv.slice(2);
const AT_ONCE = 7;

const { pings, close } = await open();
process.stdout.write('ready\n');
await once(process.stdin, 'data');

for (;;) {
  const claims = await pings.claimDue(Date.now(), AT_ONCE, Number(leaseMs));
  if (claims.length === 0) break;
  process.stdout.write(`${claims.map(({ agent }) => agent.id).join(' ')}\n`);
  await sleep(Number(pauseMs));
  const results = claims.map((claim) => goodPing(claim, Date.now()));
  const due = results.map((result) => ({
    ...result,
    state: { ...result.state, nextDueAtMs: Date.now() + Number(nextInMs) },
  }));
  const outcomes = await pings.record(due);
  if (outcomes.includes('stale')) process.stdout.write('stale\n');
}
await close();
process.exit();

async function open(): Promise<PingStores & { close(): Promise<void> }> {
  if (address.startsWith('postgres:')) return openPostgresStore(address);
  const { store, ...stores } = openSqliteStore(address);
  return { ...stores, close: () => store.close() };
}
