/** Asks an engine over HTTP, without trusting that it is one: every answer is read within limits, and parsed. */
import type { z } from 'zod';
import type { Environment } from '../policy/environment-layer.ts';
import { parseJson } from '../text/parse-json.ts';
import {
  type EngineFailure,
  type Exchange,
  problemFailure,
  redirectFailure,
  sizeFailure,
  slowFailure,
  unlikeFailure,
  unreachableFailure,
} from './engine-failure.ts';

export interface EngineClient {
  /** Without a slash at its end. */
  readonly base: string;
  /** May write anything. */
  readonly operatorToken: string | undefined;
  /** May register agents; the operator's when there is one. */
  readonly registrationToken: string | undefined;
  ask<T>(request: EngineRequest<T>): Promise<EngineAnswer<T>>;
}

interface EngineRequest<T> {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  /** Bearer. */
  readonly token?: string | undefined;
  readonly agentToken?: string | undefined;
  readonly schema: z.ZodType<T>;
  /** Whoever aborts it learns nothing more than that it failed. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export type EngineAnswer<T> =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly value: T;
      /** When it was sent, on the engine's own clock. */
      readonly atMs: number;
    }
  | EngineFailure;

const STANDARD_URL = 'http://127.0.0.1:8000';
const ANSWER_MS = 10_000;
// A page of the most agents there may be is a few MiB.
const MAX_BYTES = 64 * 1024 * 1024;

/** The engine that the command line or the environment names; a sentence where they name none. */
export function engineClient(serverUrl: string | undefined, env: Environment): EngineClient | string {
  const url = serverUrl || env.ENGINE_URL || STANDARD_URL;
  const [operatorToken, agentsToken] = [env.GPU_UPTIME_TOKEN || undefined, env.AGENT_REGISTRATION_TOKEN || undefined];
  const problem = urlProblem(url) ?? tokenProblem('GPU_UPTIME_TOKEN', operatorToken);
  const unfit = problem ?? tokenProblem('AGENT_REGISTRATION_TOKEN', agentsToken);
  if (unfit !== undefined) return unfit;
  const base = url.replace(/\/+$/, '');
  const registrationToken = operatorToken ?? agentsToken;
  return { base, operatorToken, registrationToken, ask: (request) => ask(base, request) };
}

function urlProblem(text: string): string | undefined {
  const url = URL.parse(text);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.search}${url.hash}` === '';
  if (isPlain) return undefined;
  return `--server-url (or ENGINE_URL) is "${text}": give the address of an engine, such as ${STANDARD_URL}`;
}

/** Why the text cannot be sent as a token; `name` says where it came from. */
export function tokenProblem(name: string, token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return undefined;
  return `${name} has a blank or a character that no HTTP header can carry: give the token exactly as it was made`;
}

async function ask<T>(base: string, request: EngineRequest<T>): Promise<EngineAnswer<T>> {
  const { method = 'GET', path, timeoutMs = ANSWER_MS, token } = request;
  const exchange: Exchange = { base, method, path, hasToken: token !== undefined };
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
  try {
    const response = await fetch(`${base}${path}`, { ...initOf(request), signal, redirect: 'manual' });
    const text = await readText(response);
    return text === undefined ? sizeFailure(exchange, MAX_BYTES) : read(request, exchange, { response, text });
  } catch (error) {
    return timeout.aborted ? slowFailure(exchange, timeoutMs) : unreachableFailure(exchange, error);
  }
}

function initOf<T>({ method = 'GET', body, token, agentToken }: EngineRequest<T>): RequestInit {
  const headers = {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(agentToken === undefined ? {} : { 'agent-token': agentToken }),
  };
  return { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
}

/** Undefined when there is more than anybody should have to read. */
async function readText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

interface Received {
  readonly response: Response;
  readonly text: string;
}

function read<T>({ schema }: EngineRequest<T>, exchange: Exchange, { response, text }: Received): EngineAnswer<T> {
  const { status, headers, ok } = response;
  if (status >= 300 && status < 400) return redirectFailure(exchange, status, headers.get('location'));
  const raw = parseJson(text);
  if (!ok) return problemFailure(exchange, status, raw);
  const parsed = schema.safeParse(raw);
  if (!parsed.success) return unlikeFailure(exchange, raw === undefined ? undefined : parsed.error);
  const sentMs = Date.parse(headers.get('date') ?? '');
  return { kind: 'answer', status, value: parsed.data, atMs: Number.isNaN(sentMs) ? Date.now() : sentMs };
}
