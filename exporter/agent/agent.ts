/** Checks the GPUs for as long as the process lives, and can say exactly what happened between any two pings. */

import type { Logger } from 'pino';
import { sleep } from '../waiting.ts';
import { type AgentHealth, agentHealth } from './agent-health.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import type { AgentClock } from './clock.ts';
import { type CurrentFinding, findingOf, type GpuCheck, type GpuTruth } from './gpu-truth.ts';
import { type History, type HistoryEvent, step } from './history.ts';
import type { Finding } from './span.ts';
import { type Cursor, resolvedSince, type UptimeReport, uptimeReport } from './uptime-report.ts';

export interface AgentOptions {
  readonly agentId: string;
  readonly gpuCheck: GpuCheck;
  /** Time between two checks. */
  readonly intervalMs: number;
  /** Entries of the history that are kept apart; older ones are folded into totals. */
  readonly maxHistory: number;
  readonly checkpointFile: string;
  /** Checks between two compactions of the checkpoint. */
  readonly checkpointEvery: number;
  readonly clock: AgentClock;
  /** Names this run of the process; never the same twice. */
  readonly bootId: string;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export interface Agent {
  readonly id: string;
  /** What happened since the cursor. The reader of the answer comes back with its `bootId` and `seq`. */
  report(cursor: Cursor | undefined): UptimeReport;
  /** Undefined until something was read. */
  current(): CurrentFinding | undefined;
  health(): AgentHealth;
  /** One check, beside those that are made anyway; never throws. */
  check(): void;
  /** No check begins after this; what was checked is on disk when it resolves. */
  stop(): Promise<void>;
}

export type AgentStart =
  | { readonly kind: 'running'; readonly agent: Agent }
  /** Another agent writes to the same checkpoint; the problem says what to do. */
  | { readonly kind: 'refused'; readonly problem: string };

// A reason is kept with each entry of the history, in memory and on disk.
const maxReason = 300;

/** Takes up the history that an earlier process left, and starts checking at once. */
export async function startAgent(options: AgentOptions): Promise<AgentStart> {
  const { checkpointFile: file, agentId, checkpointEvery: rewriteEvery, maxHistory: maxSpans, clock, log } = options;
  const onTurn = (problem: string | undefined) => logCheckpoint(log, problem);
  const steadyMs = () => clock.now().steadyMs;
  const opening = await openCheckpoint({ file, agentId, rewriteEvery, maxSpans, steadyMs, onTurn });
  if (opening.kind === 'held') return { kind: 'refused', problem: heldProblem(file) };
  if (opening.complaint !== undefined) log.warn(opening.complaint);
  const { checkpoint, history: restored } = opening;
  const start: HistoryEvent = { kind: 'start', bootId: options.bootId, intervalMs: options.intervalMs };
  const history = step(restored, start, maxSpans);
  checkpoint.append(start, history);
  // The name of this run is on disk before anybody hears it: no reader can come back with a name that was forgotten.
  await checkpoint.settled();
  log.info({ agent_id: agentId, boot_id: options.bootId, checks: restored.seq }, 'the agent starts checking');
  return { kind: 'running', agent: run(options, checkpoint, history) };
}

function run(options: AgentOptions, checkpoint: Checkpoint, started: History): Agent {
  const { agentId, gpuCheck, intervalMs, maxHistory, clock, bootId, log } = options;
  const stopping = new AbortController();
  let history = started;
  let lastRoundMs = clock.now().steadyMs;

  function record(event: HistoryEvent): void {
    const next = step(history, event, maxHistory);
    if (next === history) return;
    history = next;
    checkpoint.append(event, history);
  }

  function current(): CurrentFinding | undefined {
    const truth = ask(gpuCheck);
    return truth === undefined ? undefined : findingOf(truth, history.mostGpus);
  }

  function check(): void {
    const moment = clock.now();
    const finding = current();
    lastRoundMs = moment.steadyMs;
    if (finding === undefined) return;
    const { available, gpus, reason } = finding;
    logTurn(log, history, finding);
    record({ kind: 'check', seq: history.seq + 1, ...moment, available, gpus, reason: reason?.slice(0, maxReason) });
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const startedMs = clock.now().steadyMs;
      check();
      const tookMs = clock.now().steadyMs - startedMs;
      await sleep(Math.max(0, intervalMs - tookMs), stopping.signal);
    }
  }

  function report(cursor: Cursor | undefined): UptimeReport {
    const answer = uptimeReport(history, cursor);
    const since = cursor === undefined ? undefined : resolvedSince(history, cursor);
    record({ kind: 'ping', seq: answer.seq, since });
    return answer;
  }

  function health(): AgentHealth {
    const now = clock.now();
    const { seq, lastCheck } = history;
    return agentHealth({
      bootId,
      seq,
      intervalMs,
      lastCheckAgeMs: lastCheck?.epoch === now.epoch ? now.steadyMs - lastCheck.steadyMs : undefined,
      idleMs: now.steadyMs - lastRoundMs,
      disk: checkpoint.problem(),
    });
  }

  const loopEnd = loop();
  const stop = async () => {
    stopping.abort();
    await loopEnd;
    await checkpoint.close();
  };
  return { id: agentId, report, current, health, check, stop };
}

// A check that throws is a mistake in the exporter; it must neither end the loop nor pass for a healthy GPU.
function ask(gpuCheck: GpuCheck): GpuTruth | undefined {
  try {
    return gpuCheck();
  } catch (error) {
    return { available: false, gpus: 0, expected: undefined, reason: `the check itself failed: ${error}` };
  }
}

// Only the turns are news; a GPU that stays away would fill the log.
function logTurn(log: AgentOptions['log'], { spans }: History, { available, gpus, reason }: Finding): void {
  const wasAvailable = spans.at(-1)?.finding?.available ?? true;
  if (wasAvailable && !available) log.warn({ gpus, reason }, 'the GPUs are not available');
  if (!wasAvailable && available) log.info({ gpus }, 'the GPUs are available again');
}

function logCheckpoint(log: AgentOptions['log'], problem: string | undefined): void {
  if (problem === undefined) log.info('the checkpoint can be written again');
  else log.warn(`${problem}; checks are kept in memory until it can be written`);
}

function heldProblem(file: string): string {
  return `Another agent writes to ${file}: give this one another AGENT_ID, or another AGENT_CHECKPOINT_FILE.`;
}
