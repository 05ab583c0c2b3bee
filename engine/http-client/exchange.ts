/** One request and its whole answer, within limits. */
import { type Dispatcher, request } from 'undici';
import { messageOf } from '../text/message-of.ts';
import type { HttpClient } from './client.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  /** A longer answer is refused: a lying server must not fill the memory. */
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
}

const MAX_REDIRECTS = 5;

/** There was no whole answer; `message` says why in words for a person. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  readonly isTimeout: boolean;

  constructor(cause: unknown) {
    const isTimeout = cause instanceof Error && cause.name.includes('Timeout');
    super(isTimeout ? 'did not answer in time' : reasonOf(cause), { cause });
    this.isTimeout = isTimeout;
  }

  /** The cause itself when it is one already. */
  static of(cause: unknown): ExchangeError {
    return cause instanceof ExchangeError ? cause : new ExchangeError(cause);
  }

  /** The whole sentence, about the server at `url`. */
  about(url: string): string {
    return this.isTimeout ? `${url} ${this.message}` : `${url} is unreachable: ${this.message}`;
  }
}

/** Sends a request. Throws ExchangeError, whatever went wrong on the way. */
export async function exchange(client: HttpClient, wanted: HttpRequest): Promise<HttpAnswer> {
  try {
    return await follow(client, wanted, await client.headers());
  } catch (cause) {
    throw new ExchangeError(cause);
  }
}

async function follow(
  client: HttpClient,
  wanted: HttpRequest,
  credentials: Readonly<Record<string, string>>,
): Promise<HttpAnswer> {
  let { url } = wanted;
  for (let redirects = 0; ; redirects++) {
    // Credentials are for the server that was configured, and for no other that it names.
    const isSameServer = new URL(url).origin === new URL(wanted.url).origin;
    const headers = { ...wanted.headers, ...(isSameServer ? credentials : {}) };
    const answer = await send(client, { ...wanted, url, headers });
    const next = client.followsRedirects ? redirectOf(wanted.method, url, answer) : undefined;
    if (next === undefined) return answer;
    if (redirects === MAX_REDIRECTS) throw new Error(`it redirects more than ${MAX_REDIRECTS} times`);
    url = next;
  }
}

async function send({ dispatcher }: HttpClient, wanted: HttpRequest): Promise<HttpAnswer> {
  const { url, method, headers = {}, body = null, signal, maxBytes } = wanted;
  const answer = await untilAborted(signal, request(url, { method, headers, body, signal, dispatcher }));
  return { status: answer.statusCode, headers: answer.headers, text: await readText(answer.body, maxBytes) };
}

/** undici looks at the signal only once it is connected, and connecting to a dead host takes its time. */
async function untilAborted<T>(signal: AbortSignal, asked: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  return promise;
}

async function readText(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`it answers with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const REDIRECTS = [301, 302, 303, 307, 308];
const METHOD_KEEPING_REDIRECTS = [307, 308];

/** Where to ask instead. After the other statuses a POST would arrive as an empty GET, which stores nothing. */
function redirectOf(method: HttpRequest['method'], url: string, { status, headers }: HttpAnswer): string | undefined {
  const followed = method === 'GET' ? REDIRECTS : METHOD_KEEPING_REDIRECTS;
  const location = headers.location;
  if (!followed.includes(status) || typeof location !== 'string') return undefined;
  const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
  return next !== undefined && /^https?:$/.test(next.protocol) ? next.href : undefined;
}

/** Where several addresses were tried, nothing but the reasons of each says what happened. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return messageOf(error) || (error instanceof Error ? error.name : 'no reason given');
}
