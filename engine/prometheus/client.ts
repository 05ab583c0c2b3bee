/** PromQuery over HTTP. Kept thinner than prometheus-query because a tick decodes tens of thousands of samples. */
import { ExchangeError, type HttpAnswer } from '../http-client/exchange.ts';
import { parseJson } from '../text/parse-json.ts';
import { type Connection, type ConnectionOptions, openConnection, type Reconnectable } from './connection.ts';
import { decodeMatrix, decodeVector } from './decode.ts';
import { type PromQuery, QueryError } from './query.ts';

export interface ClientOptions extends ConnectionOptions {
  /** Base URL, for example http://127.0.0.1:9090 or https://host/prometheus. */
  readonly url: string;
}

/** A body larger than this is refused: no policy needs it, and a lying peer must not fill the memory. */
const MAX_BODY_BYTES = 512 * 1024 * 1024;

export function createPromClient(options: ClientOptions): PromQuery & Reconnectable {
  const connection = openConnection(options);
  const base = options.url.replace(/\/+$/, '');
  const post = (path: string, form: Record<string, string>, signal: AbortSignal) =>
    postForm({ connection, url: `${base}${path}`, form, signal });
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
    use: (http) => connection.use(http),
    close: (deadlineMs) => connection.close(deadlineMs),
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

interface FormPost {
  readonly connection: Connection;
  readonly url: string;
  readonly form: Record<string, string>;
  readonly signal: AbortSignal;
}

async function postForm(wanted: FormPost): Promise<unknown> {
  const { url } = wanted;
  const { status, text } = await send(wanted);
  if (status >= 500 && !text.startsWith('{')) throw new QueryError('server_error', `${url} answered ${status}`);
  if (status >= 300 && status < 400) {
    throw new QueryError('bad_answer', `${url} redirects (${status}); set PROMETHEUS_URL to where it leads`);
  }
  const body = parseJson(text);
  if (body !== undefined) return body;
  const start = JSON.stringify(text.slice(0, 60));
  throw new QueryError('bad_answer', `${url} answered ${status} with what is not JSON: ${start}`);
}

const HEADERS = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };

async function send({ connection, url, form, signal }: FormPost): Promise<HttpAnswer> {
  const body = new URLSearchParams(form).toString();
  try {
    return await connection.post({ url, headers: HEADERS, body, signal, maxBytes: MAX_BODY_BYTES });
  } catch (cause) {
    const error = ExchangeError.of(cause);
    throw new QueryError(error.isTimeout ? 'timeout' : 'unreachable', error.about(url), { cause });
  }
}
