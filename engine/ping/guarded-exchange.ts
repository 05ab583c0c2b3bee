/** One GET over one new connection to addresses that were judged before. */
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { type Dispatcher, errors, request } from 'undici';
import { type HttpClient, openHttpClient } from '../http-client/client.ts';
import type { HttpClientSettings } from '../http-client/settings.ts';
import { CredentialError } from '../http-client/text-source.ts';

export interface GuardedRequest {
  readonly url: string;
  /** Where the name of the URL leads: no other address is connected to. */
  readonly addresses: readonly string[];
  readonly access: HttpClientSettings;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface GuardedAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
  /** From the connection being there to the first line of the answer. */
  readonly exchangeMs: number;
  /** What has passed since that first line. */
  readonly ageMs: number;
}

export type GuardedOutcome =
  | GuardedAnswer
  /** No connection, or it broke. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** Something answered that is no HTTP within limits. */
  | { readonly kind: 'garbled'; readonly reason: string }
  /** The engine's own secret or certificate cannot be used. */
  | { readonly kind: 'unready'; readonly reason: string };

// Made once: an error looks up where it was made, and every ping ends.
const DONE = new Error('the ping is over');

/**
 * Sends the request. The connection is used for nothing else and is gone afterwards: kept alive, it could be taken for
 * another agent's. Redirects are answers like others, and no proxy of the environment is used. Never throws.
 */
export async function guardedGet(wanted: GuardedRequest): Promise<GuardedOutcome> {
  const client = openHttpClient(wanted.access, {
    connections: 1,
    pipelining: 1,
    connectTimeoutMs: wanted.timeoutMs,
    lookup: pinnedTo(wanted.addresses),
    signal: wanted.signal,
  });
  try {
    return await get(client, wanted);
  } catch (error) {
    return failure(error);
  } finally {
    await client.dispatcher.destroy(DONE);
  }
}

// The socket asks this instead of the system, whatever name it was given.
function pinnedTo(addresses: readonly string[]): LookupFunction {
  const pinned = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, { all }, callback) => {
    const [first = { address: '', family: 0 }] = pinned;
    if (all) callback(null, pinned);
    else callback(null, first.address, first.family);
  };
}

// An agent's answer is small: compressed, it could only hide how large it is.
const HEADERS = { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'gpu-uptime' };

async function get(client: HttpClient, { url, signal, maxBytes }: GuardedRequest): Promise<GuardedOutcome> {
  const headers = { ...HEADERS, ...(await client.headers()) };
  let connectedAt = performance.now();
  client.dispatcher.once('connect', () => {
    connectedAt = performance.now();
  });
  const answer = await request(url, { dispatcher: client.dispatcher, headers, signal, reset: true });
  const answeredAt = performance.now();
  const text = await readText(answer.body, maxBytes);
  if (text === undefined) return { kind: 'garbled', reason: `it answers with more than ${maxBytes} bytes` };
  const exchangeMs = answeredAt - connectedAt;
  const { statusCode: status } = answer;
  return { kind: 'answer', status, headers: answer.headers, text, exchangeMs, ageMs: performance.now() - answeredAt };
}

/** Undefined when it is longer than allowed; the rest is not read. */
async function readText(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function failure(error: unknown): GuardedOutcome {
  const reason = error instanceof Error ? sentenceOf(error) : String(error);
  if (error instanceof CredentialError) return { kind: 'unready', reason };
  const isGarbled = NO_HTTP.some((type) => error instanceof type);
  return isGarbled ? { kind: 'garbled', reason: `it does not speak HTTP: ${reason}` } : { kind: 'failed', reason };
}

const NO_HTTP = [errors.HTTPParserError, errors.HeadersOverflowError, errors.ResponseContentLengthMismatchError];

// With several addresses each failed in its own way.
function sentenceOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message || error.name;
}
