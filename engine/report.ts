/** The periodic status report in the log, and the nightly clean-up, both on node-cron. */
import { type Logger as CronLogger, type ScheduledTask, schedule } from 'node-cron';
import type { Logger } from 'pino';
import { gpusOf } from './core/decision.ts';
import { explain } from './core/explain.ts';
import type { Judged } from './core/fleet.ts';
import { percentDown, verdictReason } from './core/reason.ts';
import { FLEET } from './core/subject.ts';
import { tickStateName } from './core/tick.ts';
import type { Engine } from './engine.ts';
import { formatDuration } from './policy/duration.ts';
import { messageOf } from './text/message-of.ts';

/** Holds are kept a week after they end, for whoever asks why a node was let through. */
const HOLD_KEPT_MS = 7 * 24 * 3600 * 1000;

/** What reports need of the engine. */
export interface ReportedEngine extends Pick<Engine, 'holds' | 'backlogTicks' | 'dropExpiredHolds'> {
  judged(): Judged;
}

export interface ReportPorts {
  readonly engine: ReportedEngine;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly now: () => number;
}

/** The cron tasks of a running engine. */
export class Reports {
  readonly #ports: ReportPorts;
  #intervalMs = 0;
  #tasks: readonly ScheduledTask[] = [];

  constructor(ports: ReportPorts) {
    this.#ports = ports;
  }

  start(): void {
    const { engine, log, now } = this.#ports;
    this.#intervalMs = engine.judged().plan.policy.report.intervalMs;
    this.#warnOfUnevenInterval();
    const report = () => log.info(statusReport(engine, now()), 'status');
    const cleanUp = () => engine.dropExpiredHolds(HOLD_KEPT_MS);
    this.#tasks = [
      schedule(cronEvery(this.#intervalMs), report, { logger: cronLogger('status report', log) }),
      schedule('17 3 * * *', cleanUp, { logger: cronLogger('clean-up', log) }),
    ];
  }

  /** Follows a policy with another interval; does nothing before start and after stop. */
  async reschedule(): Promise<void> {
    const before = this.#tasks;
    if (before.length === 0 || this.#ports.engine.judged().plan.policy.report.intervalMs === this.#intervalMs) return;
    this.start();
    await destroy(before);
  }

  async stop(): Promise<void> {
    const before = this.#tasks;
    this.#tasks = [];
    await destroy(before);
  }

  #warnOfUnevenInterval(): void {
    const usedMs = evenIntervalMs(this.#intervalMs);
    if (usedMs === this.#intervalMs) return;
    const [wanted, used] = [formatDuration(this.#intervalMs), formatDuration(usedMs)];
    this.#ports.log.warn(
      `report.interval ${wanted} does not divide a minute, an hour or a day evenly: ${used} is used`,
    );
  }
}

/** node-cron would write lines of its own between those of the log. */
function cronLogger(task: string, log: ReportPorts['log']): CronLogger {
  const warn = (problem: string | Error, cause?: Error) => {
    log.warn(
      { task, err: cause ?? (problem instanceof Error ? problem : undefined) },
      `${task}: ${messageOf(problem)}`,
    );
  };
  return { warn, error: warn, info: () => {}, debug: () => {} };
}

async function destroy(tasks: readonly ScheduledTask[]): Promise<void> {
  await Promise.all(tasks.map((task) => task.destroy()));
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** A cron expression (with seconds) that fires every `evenIntervalMs`. */
export function cronEvery(intervalMs: number): string {
  const everyMs = evenIntervalMs(intervalMs);
  if (everyMs < MINUTE_MS) return `*/${everyMs / SECOND_MS} * * * * *`;
  if (everyMs < HOUR_MS) return `0 */${everyMs / MINUTE_MS} * * * *`;
  return `0 0 */${everyMs / HOUR_MS} * * *`;
}

/**
 * Cron can only divide a minute, an hour or a day evenly, so an interval that does not is rounded down to the nearest
 * that does; one below a second is rounded up to it.
 */
function evenIntervalMs(intervalMs: number): number {
  if (intervalMs < MINUTE_MS) return SECOND_MS * divisorOf(60, Math.max(1, Math.floor(intervalMs / SECOND_MS)));
  if (intervalMs < HOUR_MS) return MINUTE_MS * divisorOf(60, Math.floor(intervalMs / MINUTE_MS));
  return HOUR_MS * divisorOf(24, Math.floor(intervalMs / HOUR_MS));
}

function divisorOf(whole: number, atMost: number): number {
  let divisor = Math.min(whole, atMost);
  while (whole % divisor !== 0) divisor--;
  return divisor;
}

/** The line in the log; with `report.detailed`, every GPU too. */
export function statusReport(engine: ReportedEngine, nowMs: number): Record<string, unknown> {
  const { plan, state } = engine.judged();
  const [capability] = plan.capabilities;
  const question = { name: capability.name, capability, subject: FLEET, nowMs, holds: engine.holds() };
  const { status, figures, gpus, affectedGpus } = explain(plan, state, question);
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
    ...maintenanceFigures(engine.judged(), nowMs),
    backlogTicks: engine.backlogTicks(),
    ...(plan.policy.report.detailed ? { everyGpu: gpuRows(engine.judged()) } : {}),
  };
}

/** Where the policy grants maintenance: GPUs whose ticks are left out now, and those whose budget is spent. */
function maintenanceFigures({ state }: Judged, nowMs: number): Record<string, number> {
  if (state.maintenance === undefined) return {};
  const plannedFor = state.maintenance.at(nowMs);
  const kinds = plannedFor === undefined ? [] : [...state.gpus.values()].map((gpu) => plannedFor(gpu)?.kind);
  const count = (wanted: string) => kinds.filter((kind) => kind === wanted).length;
  return { inMaintenance: count('excluded'), overMaintenanceBudget: count('over_budget') };
}

interface GpuRow {
  readonly gpu: string;
  readonly node: string;
  readonly state: string;
  /** Absent where there is nothing to say. */
  readonly reason?: string;
}

function gpuRows({ plan, state }: Judged): readonly GpuRow[] {
  const [capability] = plan.capabilities;
  return gpusOf(state, capability, FLEET).flatMap(({ gpu, node, tracks }) => {
    const verdict = tracks[capability.profile]?.verdict;
    if (verdict === undefined) return [];
    const reason = verdictReason(verdict);
    return [{ gpu, node, state: tickStateName(verdict.state), ...(reason === undefined ? {} : { reason }) }];
  });
}
