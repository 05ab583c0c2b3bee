/** Errors as problem+json (RFC 9457): what is wrong, where, and what to do. */
import { type ServerResponse, STATUS_CODES } from 'node:http';

/** Thrown by handlers, turned into a response in one place. `detail` is for a person. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: number, detail: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    this.status = status;
    this.extra = extra;
  }
}

/** The JSON body of a problem. */
export function problemBody(problem: Problem): string {
  const title = STATUS_CODES[problem.status] ?? 'Error';
  return JSON.stringify({
    type: 'about:blank',
    title,
    status: problem.status,
    detail: problem.message,
    ...problem.extra,
  });
}

export function sendProblem(
  res: ServerResponse,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  res.writeHead(problem.status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...headers,
  });
  res.end(problemBody(problem));
}
