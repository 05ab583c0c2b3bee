/** One simulated agent: the history that the real agent keeps, fed by checks that are made up when somebody asks. */
import type { CurrentFinding } from '../../exporter/agent/gpu-truth.ts';
import { emptyHistory, type History, type HistoryEvent, step } from '../../exporter/agent/history.ts';
import { uptimeAnswer } from '../../exporter/agent/uptime-answer.ts';
import { type Cursor, resolvedSince, uptimeReport } from '../../exporter/agent/uptime-report.ts';

const MAX_SPANS = 1000;

const GOOD: CurrentFinding = { available: true, gpus: 1, expected: 1, reason: undefined };
const LOST: CurrentFinding = { available: false, gpus: 0, expected: 1, reason: 'no GPU answers, 1 expected' };

export class AgentLife {
  readonly #id: string;
  readonly #checkMs: number;
  #history: History = emptyHistory;
  #finding = GOOD;
  #boots = 0;
  #nextCheckAtMs = 0;

  /** Checks its GPU every `checkMs` from `atMs` on. */
  constructor(id: string, checkMs: number, atMs: number) {
    this.#id = id;
    this.#checkMs = checkMs;
    this.restart(atMs);
  }

  /** Another run of the process, whose checkpoint was lost. */
  restart(atMs: number): void {
    this.#boots += 1;
    this.#history = emptyHistory;
    this.#fold({ kind: 'start', bootId: `${this.#id}-boot-${this.#boots}-${atMs}`, intervalMs: this.#checkMs });
    this.#nextCheckAtMs = atMs;
    this.#check(atMs);
  }

  /** What its checks find from `atMs` on. */
  hasGpu(hasGpu: boolean, atMs: number): void {
    this.#check(atMs);
    this.#finding = hasGpu ? GOOD : LOST;
  }

  answer(cursor: Cursor | undefined, atMs: number): ReturnType<typeof uptimeAnswer> {
    this.#check(atMs);
    const report = uptimeReport(this.#history, cursor);
    const since = cursor === undefined ? undefined : resolvedSince(this.#history, cursor);
    this.#fold({ kind: 'ping', seq: report.seq, since });
    return uptimeAnswer({ agentId: this.#id, atMs, current: this.#finding, report });
  }

  #check(untilMs: number): void {
    const { available, gpus, reason } = this.#finding;
    for (; this.#nextCheckAtMs <= untilMs; this.#nextCheckAtMs += this.#checkMs) {
      const atMs = this.#nextCheckAtMs;
      const moment = { wallMs: atMs, steadyMs: atMs, epoch: 'simulated' };
      this.#fold({ kind: 'check', seq: this.#history.seq + 1, ...moment, available, gpus, reason });
    }
  }

  #fold(event: HistoryEvent): void {
    this.#history = step(this.#history, event, MAX_SPANS);
  }
}
