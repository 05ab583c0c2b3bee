/**
 * The checkpoint as JSON lines: first the history as it was at the last compaction, then every event since. Reading them back
 * is the same fold that the live agent runs. A line that cannot be read costs that line, never the others.
 */

import { z } from 'zod';
import { emptyHistory, type History, type HistoryEvent, step } from './history.ts';

const format = 1;
const count = z.int().min(0);
const wallMs = z.number().min(-8.64e15).max(8.64e15);
const moment = { wallMs, steadyMs: z.number().min(0), epoch: z.string().max(128) };
const finding = { available: z.boolean(), gpus: count, reason: z.string().optional() };

const spanSchema = z.object({
  fromSeq: z.int().min(1),
  toSeq: z.int().min(1),
  fromMs: wallMs,
  toMs: wallMs,
  finding: z.object(finding).optional(),
  totals: z.object({
    checks: count,
    availableChecks: count,
    missedChecks: count,
    lostChecks: count,
    availableMs: z.number().min(0),
    unavailableMs: z.number().min(0),
    gapMs: z.number().min(0),
  }),
});

const historySchema = z
  .object({
    kind: z.literal('history'),
    format: z.literal(format),
    agentId: z.string(),
    boots: z.array(z.object({ id: z.string(), firstSeq: z.int().min(1) })),
    spans: z.array(spanSchema),
    seq: count,
    marks: z.array(z.object({ seq: count, isUsed: z.boolean(), answerTo: count.optional() })),
    mostGpus: count,
    lastCheck: z.object(moment).optional(),
    intervalMs: z.number().min(0),
  })
  .refine(isSound);

const eventSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('start'), bootId: z.string().min(1).max(128), intervalMs: z.number().positive() }),
  z.object({ kind: z.literal('check'), seq: z.int().min(1), ...moment, ...finding }),
  z.object({ kind: z.literal('ping'), seq: count, since: count.optional() }),
]);

function isSound({ spans, seq, boots }: Pick<History, 'boots' | 'seq'> & { spans: readonly Numbered[] }): boolean {
  const areOrdered = spans.every(
    ({ fromSeq, toSeq }, nth) => fromSeq > (spans[nth - 1]?.toSeq ?? 0) && toSeq >= fromSeq,
  );
  return areOrdered && (spans.at(-1)?.toSeq ?? 0) === seq && boots.every(({ firstSeq }) => firstSeq <= seq + 1);
}

interface Numbered {
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** What a file held. */
export interface Restored {
  readonly history: History;
  /** Lines that say nothing the history can use. */
  readonly damagedLines: number;
  /** Whose history it was, when it is not this agent's; it is then not taken over. */
  readonly otherAgent: string | undefined;
}

/** One event as a line, with its end. */
export function eventLine(event: HistoryEvent): string {
  return `${JSON.stringify(event)}\n`;
}

/** The whole history as the first line of a compacted file. */
export function historyLine(agentId: string, history: History): string {
  return `${JSON.stringify({ kind: 'history', format, agentId, ...history })}\n`;
}

/** Reads a file back. A last line without an end is what a killed process was about to write: it never happened. */
export function restore(text: string, agentId: string, maxSpans: number): Restored {
  const lines = text.split('\n').slice(0, -1);
  const first = historySchema.safeParse(parsedJson(lines[0]));
  if (first.data !== undefined && first.data.agentId !== agentId)
    return { history: emptyHistory, damagedLines: 0, otherAgent: first.data.agentId };
  const start = { history: first.data === undefined ? emptyHistory : historyOf(first.data), damagedLines: 0 };
  const rest = first.data === undefined ? lines : lines.slice(1);
  return { ...rest.reduce((state, line) => withLine(state, line, maxSpans), start), otherAgent: undefined };
}

function historyOf({ boots, spans, seq, marks, ...rest }: z.infer<typeof historySchema>): History {
  const { mostGpus, lastCheck, intervalMs } = rest;
  const divisible = spans.map((span) => ({ ...span, finding: span.finding && { reason: undefined, ...span.finding } }));
  return { boots, spans: divisible, seq, marks, mostGpus, lastCheck, intervalMs };
}

interface Reading {
  readonly history: History;
  readonly damagedLines: number;
}

function withLine({ history, damagedLines }: Reading, line: string, maxSpans: number): Reading {
  const { data: event } = eventSchema.safeParse(parsedJson(line));
  if (event === undefined || !isNext(history, event)) return { history, damagedLines: damagedLines + 1 };
  return { history: step(history, completed(event), maxSpans), damagedLines };
}

// Numbers only grow; a line that says otherwise was written by no agent.
function isNext(history: History, event: z.infer<typeof eventSchema>): boolean {
  if (event.kind === 'check') return event.seq > history.seq;
  return event.kind === 'start' || event.seq <= history.seq;
}

function completed(event: z.infer<typeof eventSchema>): HistoryEvent {
  switch (event.kind) {
    case 'start':
      return event;
    case 'check':
      return { ...event, reason: event.reason };
    case 'ping':
      return { ...event, since: event.since };
  }
}

function parsedJson(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? '');
  } catch {
    return undefined;
  }
}
