import { emptyHistory, type History, type HistoryEvent, step } from '../../../exporter/agent/history.ts';
import type { Finding } from '../../../exporter/agent/span.ts';

export const up: Finding = { available: true, gpus: 8, reason: undefined };
export const down: Finding = { available: false, gpus: 7, reason: '7 of 8 GPUs answer' };

/** Ground zero of the wall clock in these tests: 2026-01-01T00:00:00Z. */
export const wallZeroMs = 1_767_225_600_000;

export const start = (bootId = 'boot-a', intervalMs = 5000): HistoryEvent => ({ kind: 'start', bootId, intervalMs });

/** A check at a second of the steady clock; the wall clock agrees unless it is given. */
export function check(seq: number, second: number, finding = up, { wallSecond = second, epoch = 'machine-1' } = {}) {
  const moment = { wallMs: wallZeroMs + wallSecond * 1000, steadyMs: second * 1000, epoch };
  return { kind: 'check', seq, ...moment, ...finding } satisfies HistoryEvent;
}

export const ping = (seq: number, since?: number): HistoryEvent => ({ kind: 'ping', seq, since });

/** Checks every five seconds from the first one on, one per finding. */
export const checks = (firstSeq: number, firstSecond: number, findings: readonly Finding[]): readonly HistoryEvent[] =>
  findings.map((finding, nth) => check(firstSeq + nth, firstSecond + 5 * nth, finding));

export function historyOf(events: readonly HistoryEvent[], maxSpans = 10_000): History {
  return events.reduce((history, event) => step(history, event, maxSpans), emptyHistory);
}
