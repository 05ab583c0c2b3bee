/**
 * Reads the NVML source once a second, as the exporter does, and writes a line for each driver process and each snapshot. For
 * tests that kill it, or let it end without closing anything: `node source-process.ts LIBRARY [ROUNDS]`.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { type Launch, launchChild } from '../../../exporter/source/nvml/driver-process.ts';
import { createNvmlSource, standardPolicy } from '../../../exporter/source/nvml/source.ts';

const [, , path, rounds = 'Infinity'] = process.argv;

const launch: Launch = (options) => {
  const child = launchChild(options);
  console.log(`process ${child.pid}`);
  return child;
};
const source = createNvmlSource(
  {
    library: { kind: 'library', path },
    maxProcesses: 0,
    limits: { gpuMs: 60_000, driverMs: 60_000, endMs: 60_000 },
    policy: standardPolicy,
  },
  { now: Date.now, log: { info: console.log, warn: console.log, error: console.log }, launch },
);
for (let round = 0; round < Number(rounds); round += 1) {
  const { gpus } = await source.read(AbortSignal.timeout(20_000));
  console.log(`read ${gpus.length}`);
  await delay(100);
}
