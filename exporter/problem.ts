/** Errors as problem+json, RFC 9457. */

import type { ServerResponse } from 'node:http';
import { anyOf } from './any-of.ts';

/** One thing that is wrong with a request, and what to do about it. */
export interface FieldError {
  readonly field: string;
  readonly problem: string;
  readonly fix: string;
}

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

/** Answers with a problem and ends the response. Headers set before, such as Allow, are kept. */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  const body = JSON.stringify({ type: 'about:blank', ...problem });
  response.statusCode = problem.status;
  response.setHeader('Content-Type', 'application/problem+json');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}

/** 405, naming what the path does answer to. */
export function sendMethodNotAllowed(response: ServerResponse, method: string, allowed: readonly string[]): void {
  response.setHeader('Allow', allowed.join(', '));
  sendProblem(response, {
    status: 405,
    title: 'Method not allowed',
    detail: `${method} is not possible here; use ${anyOf(allowed)}.`,
  });
}
