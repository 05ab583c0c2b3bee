/** PromQuery over HTTP. Kept thinner than prometheus-query because a tick decodes tens of thousands of samples. */
import { request } from 'undici';
import { type HttpClient, openHttpClient } from '../http-client/client.ts';
import { type HttpClientSettings, PLAIN_HTTP } from '../http-client/settings.ts';
import { decodeMatrix, decodeVector } from './decode.ts';
import { type PromQuery, QueryError } from './query.ts';

export interface ClientOptions {
  /** Base URL, for example http://127.0.0.1:9090 or https://host/prometheus. */
  readonly url: string;
  readonly timeoutMs: number;
  /** Queries on the wire at once. */
  readonly concurrency: number;
  /** Credentials and TLS; redirects are never followed. None by default. */
  readonly http?: HttpClientSettings;
}

/** A body larger than this is refused: no policy needs it, and a lying peer must not fill the memory. */
const MAX_BODY_BYTES = 512 * 1024 * 1024;

export function createPromClient(options: ClientOptions): PromQuery & { close(): Promise<void> } {
  const client = openHttpClient(options.http ?? PLAIN_HTTP, {
    connections: options.concurrency,
    pipelining: 1,
    maxResponseSize: MAX_BODY_BYTES,
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    connectTimeoutMs: options.timeoutMs,
  });
  const base = options.url.replace(/\/+$/, '');
  const post = (path: string, form: Record<string, string>, signal: AbortSignal) =>
    postForm({
      client,
      url: `${base}${path}`,
      form,
      signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
    });
  return {
    instant: async (expr, atMs, signal) =>
      decodeVector(await post('/api/v1/query', { query: expr, time: seconds(atMs) }, signal)),
    range: async (expr, range, signal) => {
      const form = {
        query: expr,
        start: seconds(range.startMs),
        end: seconds(range.endMs),
        step: seconds(range.stepMs),
      };
      return decodeMatrix(await post('/api/v1/query_range', form, signal), range);
    },
    close: () => client.close(),
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

interface FormPost {
  readonly client: HttpClient;
  readonly url: string;
  readonly form: Record<string, string>;
  readonly signal: AbortSignal;
}

async function postForm(post: FormPost): Promise<unknown> {
  const { statusCode, text } = await exchange(post);
  if (statusCode >= 500 && !text.startsWith('{'))
    throw new QueryError('server_error', `${post.url} answered ${statusCode}`);
  if (statusCode >= 300 && statusCode < 400) {
    throw new QueryError('bad_answer', `${post.url} redirects (${statusCode}); set PROMETHEUS_URL to where it leads`);
  }
  return parseJson(post.url, statusCode, text);
}

const FORM_HEADERS = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };

async function exchange({ client, url, form, signal }: FormPost): Promise<{ statusCode: number; text: string }> {
  const body = new URLSearchParams(form).toString();
  try {
    const headers = { ...FORM_HEADERS, ...(await client.headers()) };
    const answer = await request(url, { method: 'POST', dispatcher: client.dispatcher, headers, body, signal });
    return { statusCode: answer.statusCode, text: await answer.body.text() };
  } catch (cause) {
    throw transportError(url, cause);
  }
}

function transportError(url: string, cause: unknown): QueryError {
  const { name = '', code: rawCode = '', message = '' } = cause as { name?: string; code?: unknown; message?: string };
  // An aborted request rejects with a DOMException, whose code is a number.
  const code = typeof rawCode === 'string' ? rawCode : '';
  const timedOut = name === 'TimeoutError' || code.includes('TIMEOUT');
  if (timedOut) return new QueryError('timeout', `${url} did not answer in time`, { cause });
  return new QueryError('unreachable', `${url} is unreachable: ${code || message || name}`, { cause });
}

function parseJson(url: string, statusCode: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const start = JSON.stringify(text.slice(0, 60));
    throw new QueryError('bad_answer', `${url} answered ${statusCode} with what is not JSON: ${start}`, { cause });
  }
}
