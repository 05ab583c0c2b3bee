/** The control endpoint of the simulated source: break a GPU, mend it, see what is broken. Answers this machine only. */

import { BlockList, isIPv6 } from 'node:net';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { type FieldError, sendProblem } from './problem.ts';
import { faultKinds } from './source/mock/faults.ts';
import type { FaultBoard } from './source/mock/source.ts';

const maxSeconds = 86_400;
const parseBody = express.json({ limit: '4kb' });

/** Handlers by method; each checks the caller before it looks at the request. */
export function simulateHandlers(board: FaultBoard): Readonly<Record<'GET' | 'POST' | 'DELETE', RequestHandler>> {
  return {
    GET: localOnly((_request, response) => sendActive(response, board)),
    POST: localOnly((request, response, next) => {
      parseBody(request, response, (error?: unknown) => (error ? next(error) : inject(board, request, response)));
    }),
    DELETE: localOnly((request, response) => clear(board, request, response)),
  };
}

function inject(board: FaultBoard, request: Request, response: Response): void {
  const parsed = bodySchema(board.gpus).safeParse(request.body);
  if (parsed.success) {
    apply(board, parsed.data);
    sendActive(response, board);
  } else sendInvalid(response, parsed.error, board.gpus);
}

function apply(board: FaultBoard, { gpu, fault, seconds }: z.infer<ReturnType<typeof bodySchema>>): void {
  if (fault === 'recover') board.clear(gpu);
  else board.inject(gpu, fault, seconds === undefined ? undefined : seconds * 1000);
}

function clear(board: FaultBoard, request: Request, response: Response): void {
  const parsed = z.strictObject({ gpu: decimal.pipe(gpuSchema(board.gpus)).optional() }).safeParse(request.query);
  if (parsed.success) {
    board.clear(parsed.data.gpu);
    sendActive(response, board);
  } else sendInvalid(response, parsed.error, board.gpus);
}

function sendActive(response: Response, board: FaultBoard): void {
  const active = board.active().map(({ gpu, fault, activeForMs, remainingMs }) => ({
    gpu,
    fault,
    active_seconds: seconds(activeForMs),
    remaining_seconds: remainingMs === undefined ? null : seconds(remainingMs),
  }));
  response.json({ active });
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

const decimal = z
  .string()
  .regex(/^\d{1,6}$/)
  .transform(Number);

const gpuSchema = (gpus: number) =>
  z
    .int()
    .min(0)
    .max(gpus - 1);

const bodySchema = (gpus: number) =>
  z.strictObject({
    gpu: gpuSchema(gpus),
    fault: z.enum([...faultKinds, 'recover']),
    seconds: z.number().positive().max(maxSeconds).optional(),
  });

function sendInvalid(response: Response, error: z.ZodError, gpus: number): void {
  const errors = error.issues.flatMap((issue) => fieldErrors(issue, gpus));
  const detail = 'The request names no fault that could be simulated; each entry of "errors" says what to change.';
  sendProblem(response, { status: 400, title: 'Invalid simulation request', detail, errors });
}

function fieldErrors(issue: z.core.$ZodIssue, gpus: number): readonly FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((field) => ({
      field,
      problem: 'unknown field',
      fix: 'remove it; known are gpu, fault and seconds',
    }));
  }
  const field = String(issue.path[0] ?? 'body');
  return [{ field, problem: issue.message, fix: fixFor(field, gpus) }];
}

function fixFor(field: string, gpus: number): string {
  if (field === 'gpu') return `give the index of a GPU, a whole number from 0 to ${gpus - 1}`;
  if (field === 'fault') return `give one of ${[...faultKinds, 'recover'].join(', ')}`;
  if (field === 'seconds')
    return `give a number above 0 and at most ${maxSeconds}, or leave it out to keep the fault until it is cleared`;
  return 'send JSON with Content-Type application/json, for example {"gpu": 3, "fault": "hot", "seconds": 60}';
}

function localOnly(handler: RequestHandler): RequestHandler {
  return (request, response, next) => (isLocal(request) ? handler(request, response, next) : sendForbidden(response));
}

// A proxy on this machine has a loopback address too; what it forwards is not local.
function isLocal({ socket, headers }: Request): boolean {
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
  return !isForwarded && isLoopback(socket.remoteAddress ?? '');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Also true for an IPv4 loopback address written as IPv6, as dual-stack sockets report it. */
export function isLoopback(address: string): boolean {
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function sendForbidden(response: Response): void {
  sendProblem(response, {
    status: 403,
    title: 'Only from this machine',
    detail: 'Faults can be simulated from the loopback address only, and not through a proxy.',
  });
}
