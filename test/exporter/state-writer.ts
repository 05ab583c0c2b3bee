/** Child process: keeps the state file of its argument and writes 500 GPUs into it without pause, until it is killed. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import pino from 'pino';
import { observe } from '../../exporter/presence.ts';
import { createPresenceFile } from '../../exporter/presence-file.ts';

const [path = ''] = process.argv.slice(2);
const gpus = Array.from({ length: 500 }, (_, index) => ({
  index,
  uuid: `GPU-${index}`,
  pciBusId: '00000000:07:00.0',
  modelName: 'A100',
}));
const file = createPresenceFile({ path, now: () => performance.now(), log: pino(), everyMs: 0 });
let presence = await file.load();
for (let atMs = 1; ; atMs++) {
  const snapshot = { takenAtMs: atMs, driverVersion: '1', gpus, health: { failures: [] } };
  presence = observe(presence, { kind: 'read', atMs, snapshot });
  file.save(presence);
  if (atMs === 1_000) process.stdout.write('written\n');
  await nextTurn();
}
