/** One GET over one new connection to addresses that were judged before. */
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { type Dispatcher, errors } from 'undici';
import { credentialHeaders } from '../http-client/client.ts';
import type { HttpClientSettings } from '../http-client/settings.ts';
import { openSingleConnection } from '../http-client/single-connection.ts';
import { CredentialError } from '../http-client/text-source.ts';

export interface GuardedRequest {
  readonly url: string;
  /** Where the name of the URL leads: no other address is connected to. */
  readonly addresses: readonly string[];
  readonly access: HttpClientSettings;
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
  try {
    const own = await credentialHeaders(wanted.access.credentials);
    return await exchange(wanted, { ...HEADERS, ...own });
  } catch (error) {
    return failure(error);
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

function exchange(wanted: GuardedRequest, headers: Readonly<Record<string, string>>): Promise<GuardedOutcome> {
  const { url, access, addresses, signal, maxBytes } = wanted;
  const { origin, pathname, search } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<GuardedOutcome>();
  const collector = new Collector(maxBytes, { resolve, reject });
  const onConnect = () => collector.begin();
  const client = openSingleConnection(origin, { tls: access.tls, lookup: pinnedTo(addresses), signal, onConnect });
  const end = () => void client.destroy(DONE);
  signal.addEventListener('abort', end);
  client.dispatch({ path: pathname + search, method: 'GET', headers }, collector);
  return promise.finally(() => {
    signal.removeEventListener('abort', end);
    end();
  });
}

interface Settle {
  readonly resolve: (outcome: GuardedOutcome) => void;
  readonly reject: (error: Error) => void;
}

/** Puts an answer together as it comes in; what is longer than allowed is not read. */
class Collector implements Dispatcher.DispatchHandler {
  readonly #maxBytes: number;
  readonly #settle: Settle;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #connectedAt = performance.now();
  #answeredAt = 0;
  #status = 0;
  #headers: GuardedAnswer['headers'] = {};

  constructor(maxBytes: number, settle: Settle) {
    this.#maxBytes = maxBytes;
    this.#settle = settle;
  }

  begin(): void {
    this.#connectedAt = performance.now();
  }

  /** undici asks for it. */
  onRequestStart(): void {}

  onResponseStart(_controller: unknown, status: number, headers: GuardedAnswer['headers']): void {
    if (status < 200) return;
    this.#answeredAt = performance.now();
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#maxBytes) this.#chunks.push(chunk);
    else this.#settle.resolve({ kind: 'garbled', reason: `it answers with more than ${this.#maxBytes} bytes` });
  }

  onResponseEnd(): void {
    this.#settle.resolve({
      kind: 'answer',
      status: this.#status,
      headers: this.#headers,
      text: Buffer.concat(this.#chunks).toString('utf8'),
      exchangeMs: this.#answeredAt - this.#connectedAt,
      ageMs: performance.now() - this.#answeredAt,
    });
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#settle.reject(error);
  }
}

function failure(error: unknown): GuardedOutcome {
  const reason = error instanceof Error ? sentenceOf(error) : String(error);
  if (error instanceof CredentialError) return { kind: 'unready', reason };
  const isGarbled = NO_HTTP.some((type) => error instanceof type) || isUnaskedFor(error);
  return isGarbled ? { kind: 'garbled', reason: `it does not speak HTTP: ${reason}` } : { kind: 'failed', reason };
}

const NO_HTTP = [errors.HTTPParserError, errors.HeadersOverflowError, errors.ResponseContentLengthMismatchError];

/** An answer that says "continue", which nobody asked for: undici takes it for a broken server. */
function isUnaskedFor(error: unknown): boolean {
  return error instanceof errors.SocketError && error.message === 'bad response';
}

// With several addresses each failed in its own way.
function sentenceOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message || error.name;
}
