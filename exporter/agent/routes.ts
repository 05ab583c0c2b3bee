/** The agent's HTTP interface. Everything is read only and open, like /metrics; no question changes the answer to another. */

import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { type FieldError, sendProblem } from '../problem.ts';
import type { Agent } from './agent.ts';
import type { AgentHealth } from './agent-health.ts';
import { type GpuStatusReading, gpuStatus } from './gpu-status.ts';
import { uptimeAnswer } from './uptime-answer.ts';
import type { Cursor } from './uptime-report.ts';

export interface AgentRouteParts {
  readonly agent: Agent;
  readonly reading: () => GpuStatusReading;
  /** Wall time, on the clock of the snapshots. */
  readonly now: () => number;
}

/** Handlers by path and method. */
export function agentRoutes(parts: AgentRouteParts): Readonly<Record<string, Readonly<Record<'GET', RequestHandler>>>> {
  return {
    '/agent/uptime-since-last-ping': { GET: (request, response) => sendUptime(parts, request.query, response) },
    '/agent/gpu-status': { GET: (_request, response) => sendGpuStatus(parts, response) },
    '/agent/health': { GET: (_request, response) => sendHealth(parts.agent, response) },
  };
}

function sendUptime({ agent, now }: AgentRouteParts, query: unknown, response: Response): void {
  const parsed = querySchema.safeParse(query);
  if (parsed.success) {
    const report = agent.report(parsed.data);
    send(response, 200, uptimeAnswer({ agentId: agent.id, atMs: now(), current: agent.current(), report }));
  } else sendInvalid(response, parsed.error);
}

function sendGpuStatus({ agent, reading, now }: AgentRouteParts, response: Response): void {
  const atMs = now();
  const status = gpuStatus(reading(), agent.current(), atMs);
  send(response, 200, { agent_id: agent.id, timestamp: new Date(atMs).toISOString(), ...status });
}

function sendHealth(agent: Agent, response: Response): void {
  const health = agent.health();
  send(response, health.status === 'healthy' ? 200 : 503, { agent_id: agent.id, ...healthAnswer(health) });
}

function healthAnswer({
  status,
  bootId,
  seq,
  intervalMs,
  lastCheckAgeMs,
  isCheckpointWritable,
  problems,
}: AgentHealth) {
  return {
    status,
    boot_id: bootId,
    seq,
    check_interval_seconds: intervalMs / 1000,
    last_check_age_seconds: lastCheckAgeMs === undefined ? null : lastCheckAgeMs / 1000,
    checkpoint_writable: isCheckpointWritable,
    problems,
  };
}

// A cached answer would hand one reader's cursor to another.
function send(response: Response, status: number, body: object): void {
  response.status(status).set('Cache-Control', 'no-store').json(body);
}

const bothOrNone = 'give since and boot_id together, as the last answer said them, or neither';

const querySchema = z
  .strictObject({
    since: z
      .string()
      .regex(/^\d{1,15}$/, 'not a whole number')
      .transform(Number)
      .optional(),
    boot_id: z.string().min(1).max(128).optional(),
  })
  .transform(({ since, boot_id: bootId }, context): Cursor | undefined => {
    if (since === undefined && bootId === undefined) return undefined;
    if (since !== undefined && bootId !== undefined) return { bootId, since };
    const missing = since === undefined ? 'since' : 'boot_id';
    context.addIssue({ code: 'custom', path: [missing], message: 'missing' });
    return z.NEVER;
  });

function sendInvalid(response: Response, error: z.ZodError): void {
  const errors = error.issues.flatMap(fieldErrors);
  const detail = 'The cursor cannot be understood; each entry of "errors" says what to change.';
  response.set('Cache-Control', 'no-store');
  sendProblem(response, { status: 400, title: 'Invalid cursor', detail, errors });
}

function fieldErrors(issue: z.core.$ZodIssue): readonly FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    const fix = 'remove it; known are since and boot_id';
    return issue.keys.map((field) => ({ field, problem: 'unknown parameter', fix }));
  }
  return [{ field: String(issue.path[0] ?? 'query'), problem: issue.message, fix: bothOrNone }];
}
