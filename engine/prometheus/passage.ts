/** Requests of other clients, passed on to Prometheus over connections of their own: dashboards must not hold up ticks. */
import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { type HttpClient, openHttpClient } from '../http-client/client.ts';
import { ExchangeError } from '../http-client/exchange.ts';
import { type HttpClientSettings, PLAIN_HTTP } from '../http-client/settings.ts';
import type { Reconnectable } from './connection.ts';

export interface PassageOptions {
  /** Base URL of Prometheus. */
  readonly url: string;
  /** Limit of one request, its answer included. */
  readonly timeoutMs: number;
  /** Requests on the wire at once; Prometheus itself runs 20 queries at once. */
  readonly connections: number;
  /** Requests on the wire and waiting for it. */
  readonly requests: number;
  /** Credentials and TLS. None by default. */
  readonly http?: HttpClientSettings;
}

interface PassedRequest {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

type PassedAnswer =
  | {
      readonly ok: true;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      /** As it arrives; fails when it does not end in time. To be read or destroyed. */
      readonly body: Readable;
    }
  /** There is no answer of Prometheus': what a gateway answers then, and why. */
  | PassageFailure;

interface PassageFailure {
  readonly ok: false;
  readonly status: 502 | 503 | 504;
  readonly reason: string;
}

export interface Passage extends Reconnectable {
  /** Resolves when the answer begins. Never rejects. */
  pass(wanted: PassedRequest): Promise<PassedAnswer>;
}

export function openPassage({ http = PLAIN_HTTP, ...options }: PassageOptions): Passage {
  const { timeoutMs } = options;
  const client = openHttpClient(http, {
    connections: options.connections,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connectTimeoutMs: timeoutMs,
  });
  const way = { client, base: options.url.replace(/\/+$/, ''), timeoutMs };
  let running = 0;
  const pass = async (wanted: PassedRequest): Promise<PassedAnswer> => {
    if (running >= options.requests) {
      return failure(503, `${running} requests to Prometheus are running or waiting already: ask again later`);
    }
    running++;
    const answer = await begin(way, wanted);
    if (answer.ok) answer.body.once('close', () => running--);
    else running--;
    return answer;
  };
  return { pass, use: (next) => client.use(next), close: (deadlineMs) => client.close(deadlineMs) };
}

function failure(status: PassageFailure['status'], reason: string): PassageFailure {
  return { ok: false, status, reason };
}

interface Way {
  readonly client: HttpClient;
  readonly base: string;
  readonly timeoutMs: number;
}

async function begin({ client, base, timeoutMs }: Way, wanted: PassedRequest): Promise<PassedAnswer> {
  const url = new URL(`${base}${wanted.path}`);
  const where = `${url.origin}${url.pathname}`;
  const signal = AbortSignal.any([wanted.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const { statusCode: status, headers, body } = await ask(client, url, { ...wanted, signal });
    // Whoever reads it hears of the error too; what nobody reads must not end the process.
    body.on('error', () => {});
    const problem = problemOf(status, headers);
    if (problem === undefined) return { ok: true, status, headers: kept(headers), body };
    body.destroy();
    return failure(502, `${where} ${problem}`);
  } catch (cause) {
    const error = ExchangeError.of(cause);
    return failure(error.isTimeout ? 504 : 502, error.about(where));
  }
}

async function ask(client: HttpClient, url: URL, wanted: PassedRequest): Promise<Dispatcher.ResponseData> {
  const { method, body = null, signal } = wanted;
  const headers = { ...wanted.headers, ...(await client.headers()) };
  const asked = request(url, { method, headers, body, signal, dispatcher: client.dispatcher });
  // undici looks at the signal only once the request has a connection, and waits for that as long as others take.
  return Promise.race([asked, aborted(signal)]);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Why the answer is of no use to a client of Prometheus'. */
function problemOf(status: number, headers: Dispatcher.ResponseData['headers']): string | undefined {
  if (status === 401 || status === 403) {
    return `refuses the engine (${status}): correct the credentials in PROMETHEUS_CLIENT_FILE`;
  }
  if (status >= 300 && status < 400) return `redirects (${status}): set PROMETHEUS_URL to where it leads`;
  if (String(headers['content-type']).startsWith('application/json')) return undefined;
  return `answered ${status} with what is not Prometheus' API: check PROMETHEUS_URL`;
}

const KEPT = ['content-type', 'content-encoding', 'vary'];

/** Cookies and whatever concerns the connection stay here. */
function kept(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(
    KEPT.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
