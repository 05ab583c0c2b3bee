/** The periodic status report in the log, and the nightly clean-up, both on node-cron. */
import { type ScheduledTask, schedule } from 'node-cron';
import type { Logger } from 'pino';
import { explain } from './core/explain.ts';
import { percentDown } from './core/reason.ts';
import { FLEET } from './core/subject.ts';
import type { Engine } from './engine.ts';

/** Holds are kept a week after they end, for whoever asks why a node was let through. */
const HOLD_KEPT_MS = 7 * 24 * 3600 * 1000;

export function scheduleReports(engine: Engine, log: Logger, now: () => number): readonly ScheduledTask[] {
  const { report } = engine.judged().plan.policy;
  return [
    schedule(cronEvery(report.intervalMs), () => log.info(statusReport(engine, now()), 'status'), {
      name: 'status report',
    }),
    schedule('17 3 * * *', () => engine.dropExpiredHolds(HOLD_KEPT_MS), { name: 'clean-up' }),
  ];
}

/**
 * A cron expression (with seconds) that fires every `intervalMs`. Cron can only divide a minute, an hour or a day
 * evenly, so an interval that does not is rounded down to the nearest that does.
 */
export function cronEvery(intervalMs: number): string {
  const seconds = Math.max(1, Math.floor(intervalMs / 1000));
  if (seconds < 60) return `*/${divisorOf(60, seconds)} * * * * *`;
  if (seconds < 3600) return `0 */${divisorOf(60, Math.floor(seconds / 60))} * * * *`;
  return `0 0 */${divisorOf(24, Math.min(24, Math.floor(seconds / 3600)))} * * *`;
}

function divisorOf(whole: number, atMost: number): number {
  let divisor = Math.min(whole, atMost);
  while (whole % divisor !== 0) divisor--;
  return divisor;
}

function statusReport(engine: Engine, nowMs: number): Record<string, unknown> {
  const { plan, state } = engine.judged();
  const [capability] = plan.capabilities;
  const question = { name: capability.name, capability, subject: FLEET, nowMs, holds: engine.holds() };
  const { status, figures, gpus, affectedGpus, causes } = explain(plan, state, question);
  const uptime = figures.map(({ window, uptime: ratio }) => [
    window.name,
    ratio === undefined ? 'unknown' : `${percentDown(ratio)}%`,
  ]);
  return {
    status,
    uptime: Object.fromEntries(uptime),
    gpus,
    notUp: affectedGpus,
    delays: state.episodes.size,
    backlogTicks: engine.backlogTicks(),
    ...(plan.policy.report.detailed ? { causes } : {}),
  };
}
