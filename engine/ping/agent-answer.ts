/** An agent's word, decoded. It may lie, but not in ways that can be seen: what contradicts itself or the cursor is no answer. */
import { z } from 'zod';
import type { AgentAnswer, UptimeClaim } from '../core/ping/outcome.ts';
import type { PingState } from '../core/ping/state.ts';
import { fieldWords } from '../text/field-words.ts';

/** What the agent was asked. */
export interface Asked {
  /** Who was asked; somebody else's answer says nothing of this agent. */
  readonly agentId: string;
  /** Undefined for a first ping, which asks whether there is a GPU, and nothing about time. */
  readonly cursor: PingState['cursor'];
  /** Time since the answer with that cursor, on the engine's clock; undefined when it cannot be told. */
  readonly spanMs: number | undefined;
}

export type DecodedAnswer =
  | {
      readonly kind: 'answer';
      readonly answer: AgentAnswer;
      /** When the agent says it answered, on its own clock. */
      readonly sentAtMs: number | undefined;
    }
  | { readonly kind: 'invalid'; readonly reason: string };

// The agent takes no more digits back.
const whole = z.number().int().nonnegative().max(999_999_999_999_999);
const percentage = z.number().min(0).max(100).nullable();
const seconds = z.number().nonnegative();

const BODY = z.object({
  agent_id: z.string().nullish(),
  boot_id: z.string().regex(/^[\x21-\x7e]{1,128}$/, 'it must be 1 to 128 visible characters'),
  seq: whole,
  since: whole,
  timestamp: z.iso.datetime({ offset: true }).optional(),
  first_ping: z.boolean(),
  continuity: z.enum(['complete', 'history_lost']),
  gpu_available: z.boolean().nullable(),
  reason: z.string().nullable(),
  uptime_percentage: percentage,
  proven_uptime_percentage: percentage,
  total_checks: whole,
  available_checks: whole,
  span_seconds: seconds,
  available_seconds: seconds,
  unavailable_seconds: seconds,
  gap_seconds: seconds,
});

type Body = z.output<typeof BODY>;

/**
 * Decodes a body of /agent/uptime-since-last-ping; fields beyond the known ones are left alone. The claimed uptime is the
 * proven one: available time over the whole span. Time in which the agent did not look counts against it, because looking is
 * its task, and time it leaves out counts as not looked at; `coverage` is the share it did look at. Never throws.
 */
export function decodeAgentAnswer(text: string, asked: Asked): DecodedAnswer {
  const json = parseJson(text);
  if (json === undefined) return invalid(`it answers what is not JSON: ${excerpt(text)}`);
  const parsed = BODY.safeParse(json, { error: fieldWords });
  if (!parsed.success) return invalid(fieldProblem(parsed.error));
  const body = parsed.data;
  const stranger = strangerIn(body, asked);
  if (stranger !== undefined) return invalid(stranger);
  const contradiction = CONTRADICTIONS.find(({ holds }) => !holds(body, asked));
  if (contradiction !== undefined) return invalid(contradiction.problem);
  return { kind: 'answer', answer: answerOf(body, asked), sentAtMs: instantOf(body.timestamp) };
}

/** An agent that does not say who it is may be anyone, as the guide asks for no such field. */
function strangerIn({ agent_id: answering }: Body, { agentId }: Asked): string | undefined {
  if (answering === undefined || answering === null || answering === agentId) return undefined;
  return `it is agent ${excerpt(answering)}, not ${excerpt(agentId)}: register its URL under that id, or correct its AGENT_ID`;
}

function answerOf(body: Body, asked: Asked): AgentAnswer {
  return {
    bootId: body.boot_id,
    seq: body.seq,
    isGpuAvailable: body.gpu_available ?? undefined,
    reason: body.reason === null ? undefined : plainText(body.reason, 300),
    claimed: claimOf(body, asked),
    continuity: body.continuity,
  };
}

interface Contradiction {
  readonly holds: (body: Body, asked: Asked) => boolean;
  readonly problem: string;
}

const CONTRADICTIONS: readonly Contradiction[] = [
  {
    holds: ({ boot_id, seq }, { cursor }) => cursor?.bootId !== boot_id || seq >= cursor.seq,
    problem: 'its seq went back within one run of the agent',
  },
  {
    holds: ({ first_ping }, { cursor }) => cursor === undefined || !first_ping,
    problem: 'it answers as if it had not been asked since when; something on the way may remove the query',
  },
  { holds: ({ since, seq }) => since <= seq, problem: 'its since is beyond its seq' },
  {
    holds: ({ since, continuity }, { cursor }) =>
      cursor === undefined || continuity !== 'complete' || since <= cursor.seq,
    problem: 'it calls its answer complete and leaves out the beginning',
  },
  {
    holds: ({ available_checks, total_checks }) => available_checks <= total_checks,
    problem: 'it claims more available checks than checks',
  },
  {
    holds: (body) => isNear(watchedSeconds(body) + body.gap_seconds, body.span_seconds, 1 + body.span_seconds / 100),
    problem: 'its seconds do not add up to its span',
  },
  {
    holds: (body) => isShare(body.proven_uptime_percentage, body.available_seconds, body.span_seconds),
    problem: 'its proven uptime is not what its seconds say',
  },
  {
    holds: (body) => isShare(body.uptime_percentage, body.available_checks, body.total_checks),
    problem: 'its uptime is not what its checks say',
  },
  {
    holds: (body, asked) => body.continuity !== 'complete' || !isTooLong(body, asked),
    problem: 'it claims to have watched longer than the time since the last ping',
  },
];

/** A share of nothing says nothing, so it may be anything. */
function isShare(percent: number | null, part: number, all: number): boolean {
  return all === 0 || (percent !== null && isNear(percent, (100 * part) / all, 1));
}

function isNear(a: number, b: number, tolerance: number): boolean {
  return Math.abs(a - b) <= tolerance;
}

function claimOf(body: Body, asked: Asked): UptimeClaim {
  // Without its history the agent may answer for longer than it was asked, and cannot say which part was meant.
  const isOfThisSpan = asked.cursor !== undefined && !isTooLong(body, asked);
  const wholeSeconds = Math.max(watchedSeconds(body) + body.gap_seconds, leastSeconds(body, asked));
  if (!isOfThisSpan || wholeSeconds === 0) return { uptime: undefined, coverage: 0 };
  return {
    uptime: body.available_seconds / wholeSeconds,
    coverage: watchedSeconds(body) / wholeSeconds,
  };
}

function watchedSeconds({ available_seconds, unavailable_seconds }: Body): number {
  return available_seconds + unavailable_seconds;
}

function isTooLong(body: Body, { cursor, spanMs }: Asked): boolean {
  if (cursor === undefined || spanMs === undefined) return false;
  return watchedSeconds(body) > 1.05 * (spanMs / 1000) + slackSeconds(body);
}

/** The least that a report of the span must account for. */
function leastSeconds(body: Body, { spanMs = 0 }: Asked): number {
  return Math.max(0, spanMs / 1000 - slackSeconds(body));
}

// A report ends with the last check, not with the question, and so did the one before.
function slackSeconds(body: Body): number {
  return Math.max(60, body.total_checks === 0 ? 0 : (2 * watchedSeconds(body)) / body.total_checks);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fieldProblem({ issues }: z.ZodError): string {
  const [first] = issues;
  const field = first === undefined || first.path.length === 0 ? 'its answer' : `its ${first.path.join('.')}`;
  return plainText(`${field} is wrong: ${first?.message ?? 'unknown'}`, 300);
}

function instantOf(timestamp: string | undefined): number | undefined {
  const ms = Date.parse(timestamp ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/** The beginning of what somebody else wrote, for a sentence of ours. */
export function excerpt(text: string): string {
  return JSON.stringify(plainText(text, 80));
}

function plainText(text: string, length: number): string {
  return text.slice(0, length).replace(/\p{C}/gu, ' ').trim();
}

function invalid(reason: string): DecodedAnswer {
  return { kind: 'invalid', reason };
}
