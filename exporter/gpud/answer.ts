/** Answers as GPUd gives them: JSON or YAML, indented on request, compressed for those who take gzip. */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { dump } from 'js-yaml';
import { type Problem, sendProblem } from '../problem.ts';

const compress = promisify(gzip);

type Format = 'json' | 'yaml';

/** Sends `body` in the format that was asked for; a format that GPUd does not know is a problem. */
export async function send(request: Request, response: Response, body: object): Promise<void> {
  const format = formatOf(request);
  if (format === undefined) refuse(response, unknownFormat);
  else await sendAs(format, { request, response, body });
}

/** The same for answers that must never be refused. */
export async function sendAnyhow(request: Request, response: Response, body: object): Promise<void> {
  await sendAs(formatOf(request) ?? 'json', { request, response, body });
}

export function refuse(response: Response, problem: Problem): void {
  response.set('Cache-Control', 'no-store');
  sendProblem(response, problem);
}

const unknownFormat: Problem = {
  status: 400,
  title: 'Unknown content type',
  detail: 'Ask for application/json or application/yaml in the header Content-Type, as GPUd wants it, or leave it out.',
};

// GPUd reads what its client wants from Content-Type; the header that is meant for it is understood as well.
function formatOf({ headers }: Request): Format | undefined {
  const { 'content-type': asked = '', accept = '' } = headers;
  if (asked === 'application/yaml') return 'yaml';
  if (asked !== '' && asked !== 'application/json') return undefined;
  return asked === '' && accept === 'application/yaml' ? 'yaml' : 'json';
}

interface Answer {
  readonly request: Request;
  readonly response: Response;
  readonly body: object;
}

async function sendAs(format: Format, { request, response, body }: Answer): Promise<void> {
  const isIndented = request.headers['json-indent'] === 'true';
  const text = format === 'yaml' ? yamlOf(body) : JSON.stringify(body, undefined, isIndented ? 4 : undefined);
  response.set({ 'Cache-Control': 'no-store', 'Content-Type': `application/${format}; charset=utf-8` });
  response.set('Vary', 'Accept, Accept-Encoding, Content-Type, json-indent');
  if (request.acceptsEncodings('gzip', 'identity') !== 'gzip') response.end(text);
  else response.set('Content-Encoding', 'gzip').end(await compress(text));
}

// Through JSON, so that both formats leave out the same.
function yamlOf(body: object): string {
  return dump(JSON.parse(JSON.stringify(body)), { sortKeys: true, lineWidth: -1 });
}
