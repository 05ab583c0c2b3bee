/** The body of POST …/ping-result: a ping that somebody else made. */
import express, { type Request, Router } from 'express';
import { z } from 'zod';
import type { HandedIn } from '../ping/pings.ts';
import { Problem } from './problem.ts';
import { parseBody } from './request.ts';

/** As long as the engine lets agents answer it. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Leaves room for what is around the answer, and for other spellings of it. */
const BODY_LIMIT = '160kb';

/** Reads bodies that hold an agent's whole answer; those of other requests are smaller. */
export function pingResultBody(): Router {
  return Router().use(/^\/api\/v1\/decisions\/ping\/[^/]+\/ping-result\/?$/, express.json({ limit: BODY_LIMIT }));
}

const MAX_SECONDS = 3600;

const instant = z
  .number({ error: 'write Unix seconds as a number' })
  .min(0)
  .max(1e11, 'write seconds, not milliseconds');
const reason = z.string({ error: 'say in words what happened' }).min(1, 'say in words what happened').max(1000);
const duration = z.number({ error: 'write seconds as a number' }).min(0);

const RESULT = z.strictObject({
  at: instant,
  ended_at: instant.optional(),
  reply: z.discriminatedUnion(
    'kind',
    [
      z.strictObject({
        kind: z.literal('answered'),
        answer: z.unknown().refine((answer) => answer !== undefined, 'send the JSON that the agent answered'),
        round_trip_seconds: duration.max(MAX_SECONDS).optional(),
      }),
      z.strictObject({ kind: z.enum(['unreachable', 'invalid']), reason }),
      z.strictObject({ kind: z.literal('refused'), reason, retry_after_seconds: duration.max(1e9).optional() }),
    ],
    { error: 'write an object with kind answered, unreachable, refused or invalid' },
  ),
});

type Result = z.output<typeof RESULT>;

/** Throws the Problem that says what is wrong with it. */
export function handedInBy(req: Request): HandedIn {
  const { at, ended_at: endedAt, reply } = parseBody(RESULT, req);
  const lastedSeconds = reply.kind === 'answered' ? (reply.round_trip_seconds ?? 0) : 0;
  const atMs = Math.round(at * 1000);
  const endedAtMs = Math.round((endedAt ?? at + lastedSeconds) * 1000);
  return { atMs, endedAtMs, brought: broughtBy(reply, endedAtMs - atMs) };
}

function broughtBy(reply: Result['reply'], lastedMs: number): HandedIn['brought'] {
  switch (reply.kind) {
    case 'answered': {
      const roundTripMs = reply.round_trip_seconds === undefined ? lastedMs : reply.round_trip_seconds * 1000;
      return { kind: 'answer', text: answerText(reply.answer), roundTripMs };
    }
    case 'refused': {
      const retryAfterMs = reply.retry_after_seconds === undefined ? undefined : reply.retry_after_seconds * 1000;
      return { kind: 'refused', reason: reply.reason, retryAfterMs };
    }
    default:
      return { kind: reply.kind, reason: reply.reason };
  }
}

function answerText(answer: unknown): string {
  const text = JSON.stringify(answer);
  if (Buffer.byteLength(text) <= MAX_ANSWER_BYTES) return text;
  const limit = `the answer is longer than the ${MAX_ANSWER_BYTES} bytes an agent may answer`;
  throw new Problem(413, `${limit}: hand it in as {"kind": "invalid", "reason": "…"}`);
}
