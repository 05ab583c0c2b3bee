/** Child process: judges ticks of two fleets in turn, one per long window, with its answers read from Prometheus' port. */
import type { FleetState } from '../../engine/core/fleet.ts';
import { stepFleet } from '../../engine/core/fleet.ts';
import type { Plan } from '../../engine/core/plan.ts';
import { createPromClient } from '../../engine/prometheus/client.ts';
import { readTick } from '../../engine/prometheus/history.ts';
import { benchPlan, filledFleet, INTERVAL_MS, LONG_WINDOW_MS } from './fleet.ts';
import { answerParent, cpuMs } from './process.ts';

const url = `http://127.0.0.1:${process.argv[2]}`;
const prom = createPromClient({ url, timeoutMs: 30_000, concurrency: 4 });

interface Judged {
  readonly plan: Plan;
  readonly state: FleetState;
}

function filled(longWindowMs: number): Judged {
  const plan = benchPlan(longWindowMs);
  return { plan, state: filledFleet(plan) };
}

/** CPU of reading the next tick's answers, and of folding them in. */
async function judgeTick({ plan, state }: Judged): Promise<{ readMs: number; foldMs: number }> {
  const history = { prom, policy: plan.policy, stats: { absurdValues: 0 } };
  const start = process.cpuUsage();
  const observation = await readTick(history, (state.tickMs ?? 0) + INTERVAL_MS, AbortSignal.timeout(30_000));
  const readMs = cpuMs(start);
  const read = process.cpuUsage();
  stepFleet(plan, state, observation);
  return { readMs, foldMs: cpuMs(read) };
}

const short = filled(LONG_WINDOW_MS);
const long = filled(12 * LONG_WINDOW_MS);

answerParent({}, async () => {
  const of2h = await judgeTick(short);
  const of24h = await judgeTick(long);
  return { read2h: of2h.readMs, fold2h: of2h.foldMs, read24h: of24h.readMs, fold24h: of24h.foldMs };
});
