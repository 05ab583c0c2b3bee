/** SeriesWriter over remote write 1.0, to Prometheus' own receiver or anything that takes the protocol. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { compress } from 'snappyjs';
import { request } from 'undici';
import { type HttpClient, openHttpClient } from '../http-client/client.ts';
import { type HttpClientSettings, PLAIN_HTTP } from '../http-client/settings.ts';
import { type SeriesWriter, WriteError, type WrittenSeries } from './series-writer.ts';
import { encodeWriteRequest } from './write-request.ts';

export interface RemoteWriteOptions {
  /** The whole URL, for example http://127.0.0.1:9090/api/v1/write. */
  readonly url: string;
  /** Limit of one request. */
  readonly timeoutMs: number;
  /** Requests on the wire at once. */
  readonly concurrency: number;
  /** Credentials and TLS; redirects are never followed. None by default. */
  readonly http?: HttpClientSettings;
}

/** Small enough to encode between two answers to gateways. */
const SERIES_PER_REQUEST = 2000;
/** How long to wait before each further attempt at a server that is busy. */
const RETRY_AFTER_MS = [100, 400, 1600];
/** How often a refused request is halved to save its good series: Prometheus 2 drops all of it for one bad sample. */
const MAX_SPLITS = 32;

/** Writing nothing asks whether there is a receiver. Resolves when everything is stored, so that the next query sees it. */
export function createRemoteWriter(options: RemoteWriteOptions): SeriesWriter & { close(): Promise<void> } {
  const { url, timeoutMs, concurrency } = options;
  const client = openHttpClient(options.http ?? PLAIN_HTTP, {
    connections: concurrency,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connectTimeoutMs: timeoutMs,
  });
  return {
    write: async (series, signal) => {
      const write: Write = { url, client, timeoutMs, signal, splitsLeft: MAX_SPLITS, refused: 0, reason: '' };
      for (let from = 0; from === 0 || from < series.length; from += SERIES_PER_REQUEST) {
        await setImmediate();
        await post(write, series.slice(from, from + SERIES_PER_REQUEST));
      }
      if (write.refused > 0) throw refusal(write, series.length);
    },
    close: () => client.close(),
  };
}

interface Write extends Pick<RemoteWriteOptions, 'url' | 'timeoutMs'> {
  readonly client: HttpClient;
  readonly signal: AbortSignal;
  splitsLeft: number;
  /** Series that were not stored, and the server's reason for the first of them. */
  refused: number;
  reason: string;
}

function refusal({ url, refused, reason }: Write, total: number): WriteError {
  return new WriteError('refused', `${url} refused ${refused} of ${total} series: ${reason}`);
}

async function post(write: Write, series: readonly WrittenSeries[]): Promise<void> {
  const reason = await attempt(write, compress(encodeWriteRequest(series)));
  if (reason === undefined) return;
  if (write.refused === 0) write.reason = reason;
  if (series.length > 1 && write.splitsLeft > 0) {
    write.splitsLeft--;
    const middle = Math.ceil(series.length / 2);
    await post(write, series.slice(0, middle));
    await post(write, series.slice(middle));
  } else {
    write.refused += series.length;
  }
}

/** Undefined when the body was stored, and why when it was refused. Throws WriteError for everything else. */
async function attempt(write: Write, body: Uint8Array, attempts = 0): Promise<string | undefined> {
  const { statusCode, text } = await exchange(write, body);
  if (statusCode >= 200 && statusCode < 300) return undefined;
  if (statusCode === 400 || statusCode === 413) return text.slice(0, 200);
  const pauseMs = RETRY_AFTER_MS[attempts];
  const isBusy = statusCode >= 500 || statusCode === 429;
  if (!isBusy || pauseMs === undefined) throw answeredError(write.url, statusCode, text);
  await pause(write, pauseMs);
  return attempt(write, body, attempts + 1);
}

async function pause({ url, signal }: Write, ms: number): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal });
  } catch (cause) {
    throw transportError(url, cause);
  }
}

const HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};

async function exchange(write: Write, body: Uint8Array): Promise<{ statusCode: number; text: string }> {
  const { url, client } = write;
  const signal = AbortSignal.any([write.signal, AbortSignal.timeout(write.timeoutMs)]);
  try {
    const headers = { ...HEADERS, ...(await client.headers()) };
    const answer = await request(url, { method: 'POST', dispatcher: client.dispatcher, headers, body, signal });
    return { statusCode: answer.statusCode, text: (await answer.body.text()).trim() };
  } catch (cause) {
    throw transportError(url, cause);
  }
}

function answeredError(url: string, statusCode: number, text: string): WriteError {
  if (statusCode === 404 || statusCode === 405) {
    const fix = 'start Prometheus with --web.enable-remote-write-receiver, or set REMOTE_WRITE_URL';
    return new WriteError('no_receiver', `${url} takes no remote writes (${statusCode}): ${fix}`);
  }
  const redirects = statusCode >= 300 && statusCode < 400;
  const detail = redirects ? 'a redirect; set REMOTE_WRITE_URL to where it leads' : text.slice(0, 200);
  return new WriteError('failed', `${url} answered ${statusCode}: ${detail}`);
}

function transportError(url: string, cause: unknown): WriteError {
  const { name = '', code = '', message = '' } = cause as { name?: string; code?: unknown; message?: string };
  const timedOut = name === 'TimeoutError' || String(code).includes('TIMEOUT');
  const what = timedOut ? 'did not answer in time' : `is unreachable: ${message || name}`;
  return new WriteError('failed', `${url} ${what}`, { cause });
}
