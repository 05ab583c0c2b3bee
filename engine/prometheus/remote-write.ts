/** SeriesWriter over remote write 1.0, to Prometheus' own receiver or anything that takes the protocol. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { compress } from 'snappyjs';
import { ExchangeError, type HttpAnswer } from '../http-client/exchange.ts';
import { type Connection, type ConnectionOptions, openConnection, type Reconnectable } from './connection.ts';
import { type SeriesWriter, WriteError, type WrittenSeries } from './series-writer.ts';
import { encodeWriteRequest } from './write-request.ts';

export interface RemoteWriteOptions extends ConnectionOptions {
  /** The whole URL, for example http://127.0.0.1:9090/api/v1/write. */
  readonly url: string;
}

/** Small enough to encode between two answers to gateways. */
const SERIES_PER_REQUEST = 2000;
/** How long to wait before each further attempt at a server that is busy. */
const RETRY_AFTER_MS = [100, 400, 1600];
/** How often a refused request is halved to save its good series: Prometheus 2 drops all of it for one bad sample. */
const MAX_SPLITS = 32;

/** Writing nothing asks whether there is a receiver. Resolves when everything is stored, so that the next query sees it. */
export function createRemoteWriter(options: RemoteWriteOptions): SeriesWriter & Reconnectable {
  const { url } = options;
  const connection = openConnection(options);
  return {
    write: async (series, signal) => {
      const write: Write = { url, connection, signal, splitsLeft: MAX_SPLITS, refused: 0, reasons: [] };
      for (let from = 0; from === 0 || from < series.length; from += SERIES_PER_REQUEST) {
        await setImmediate();
        await post(write, series.slice(from, from + SERIES_PER_REQUEST));
      }
      if (write.refused > 0) throw refusal(write, series.length);
    },
    use: (http) => connection.use(http),
    close: (deadlineMs) => connection.close(deadlineMs),
  };
}

interface Write {
  readonly url: string;
  readonly connection: Connection;
  readonly signal: AbortSignal;
  splitsLeft: number;
  /** Series that were not stored, and what the server said of each part of them. */
  refused: number;
  readonly reasons: string[];
}

const DUPLICATE = /duplicate sample for timestamp/i;

function refusal({ url, refused, reasons }: Write, total: number): WriteError {
  const share = `${refused} of ${total} series`;
  if (reasons.every((reason) => DUPLICATE.test(reason))) {
    const cause = 'another engine with the same rules, or another rule, writes them too, and the first to write wins';
    return new WriteError('duplicate', `${url} holds other values of ${share} for the same instant: ${cause}`);
  }
  const reason = reasons.find((one) => !DUPLICATE.test(one)) ?? '';
  return new WriteError('refused', `${url} refused ${share}: ${reason}`);
}

async function post(write: Write, series: readonly WrittenSeries[]): Promise<void> {
  const reason = await attempt(write, compress(encodeWriteRequest(series)));
  if (reason === undefined) return;
  if (series.length > 1 && write.splitsLeft > 0) {
    write.splitsLeft--;
    const middle = Math.ceil(series.length / 2);
    await post(write, series.slice(0, middle));
    await post(write, series.slice(middle));
  } else {
    write.refused += series.length;
    write.reasons.push(reason);
  }
}

/** Undefined when the body was stored, and why when it was refused. Throws WriteError for everything else. */
async function attempt(write: Write, body: Uint8Array, attempts = 0): Promise<string | undefined> {
  const { status, text } = await send(write, body);
  if (status >= 200 && status < 300) return undefined;
  if (status === 400 || status === 413) return text.trim().slice(0, 200);
  const pauseMs = RETRY_AFTER_MS[attempts];
  const isBusy = status >= 500 || status === 429;
  if (!isBusy || pauseMs === undefined) throw answeredError(write.url, status, text.trim());
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

/** Receivers answer with nothing, or with a sentence. */
const MAX_ANSWER_BYTES = 1024 * 1024;

async function send({ url, connection, signal }: Write, body: Uint8Array): Promise<HttpAnswer> {
  try {
    return await connection.post({ url, headers: HEADERS, body, signal, maxBytes: MAX_ANSWER_BYTES });
  } catch (cause) {
    throw transportError(url, cause);
  }
}

function answeredError(url: string, status: number, text: string): WriteError {
  if (status === 404 || status === 405) {
    const fix = 'start Prometheus with --web.enable-remote-write-receiver, or set REMOTE_WRITE_URL';
    return new WriteError('no_receiver', `${url} takes no remote writes (${status}): ${fix}`);
  }
  const redirects = status >= 300 && status < 400;
  const detail = redirects ? 'a redirect; set REMOTE_WRITE_URL to where it leads' : text.slice(0, 200);
  return new WriteError('failed', `${url} answered ${status}: ${detail}`);
}

function transportError(url: string, cause: unknown): WriteError {
  const error = ExchangeError.of(cause);
  return new WriteError('failed', error.about(url), { cause });
}
