/** Child process: an engine that pings whoever is due in the store of `file`, and says whom. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { goodPing } from './ping-fixtures.ts';

const [file = '', leaseMs = '', pauseMs = '', nextInMs = ''] = process.argv.slice(2);
const AT_ONCE = 7;

const { pings, store } = openSqliteStore(file);
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
await store.close();
process.exit();
