/** What requests about agents have in common, parsed strictly. */
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { RegisteredAgent } from '../ping/agent-index.ts';
import type { Pings } from '../ping/pings.ts';
import { AGENT_ID } from '../ping/registration.ts';
import { unknownAgent } from './pinged-answer.ts';
import { Problem } from './problem.ts';
import { parseQuery } from './request.ts';

/** A request and its answer, at one instant. */
export interface Exchange {
  readonly req: Request;
  readonly res: Response;
  readonly nowMs: number;
}

const MAX_LIMIT = 1000;
const LIMIT_FIX = `write a whole number from 1 to ${MAX_LIMIT}`;

/** How many entries an answer may have. */
export const LIMIT = z
  .string({ error: LIMIT_FIX })
  .regex(/^[1-9]\d{0,3}$/, LIMIT_FIX)
  .transform(Number)
  .refine((limit) => limit <= MAX_LIMIT, LIMIT_FIX)
  .default(100);

export const ID_FIX = 'write 1 to 128 of A-Z a-z 0-9 . _ : - beginning with a letter or digit';

const NOTHING = z.strictObject({});

/** Throws Problem 400 when there are query parameters. */
export function withoutQuery(req: Request): void {
  parseQuery(NOTHING, req);
}

/** Throws Problem 400 when the id in the path can be no agent's. */
export function agentId(req: Request): string {
  const id = String(req.params.agent_id);
  if (!AGENT_ID.test(id)) throw new Problem(400, `the path has no valid agent_id: ${ID_FIX}`);
  return id;
}

/** Throws Problem 404 when the agent is not registered. */
export function agentOf({ registry }: Pings, id: string): RegisteredAgent {
  const registered = registry.get(id);
  if (registered === undefined) throw unknownAgent(id);
  return registered;
}

/** Aborts when whoever asked has gone. */
export function goneSignal(res: Response): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) gone.abort();
  });
  return gone.signal;
}
