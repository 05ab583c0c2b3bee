/** Questions that only Prometheus answers, passed on to it: its clients, such as Grafana, find all they need at the engine. */
import { pipeline } from 'node:stream/promises';
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express';
import type { Passage } from '../prometheus/passage.ts';
import { type Credentials, requireCredentials } from './credentials.ts';
import { refuse } from './prometheus-answer.ts';
import { requestFault } from './request-fault.ts';

export interface PrometheusQueries {
  readonly passage: Pick<Passage, 'pass'>;
  /** Whether Prometheus asks the engine for credentials: then the engine lends them to holders of its token only. */
  readonly isProtected: boolean;
}

/** Read-only: nothing that writes, deletes or administrates is passed on. */
export function prometheusQueryRoutes({ passage, isProtected }: PrometheusQueries, credentials: Credentials): Router {
  const router = Router({ strict: true, caseSensitive: true });
  const guard: RequestHandler[] = isProtected ? [requireCredentials(credentials, 'queries')] : [];
  const form = express.text({ type: FORM, limit: '1mb' });
  const pass: RequestHandler[] = [...guard, form, (req, res) => passOn(passage, req, res)];
  router.get('/api/v1/query', pass);
  router.post('/api/v1/query', pass);
  router.get('/api/v1/query_range', pass);
  router.post('/api/v1/query_range', pass);
  router.get('/api/v1/query_exemplars', pass);
  router.post('/api/v1/query_exemplars', pass);
  router.get('/api/v1/labels', pass);
  router.post('/api/v1/labels', pass);
  router.get('/api/v1/label/:name/values', pass);
  router.get('/api/v1/series', pass);
  router.post('/api/v1/series', pass);
  router.get('/api/v1/metadata', pass);
  router.get('/api/v1/format_query', pass);
  router.post('/api/v1/format_query', pass);
  router.use(inPrometheusForm);
  return router;
}

const FORM = 'application/x-www-form-urlencoded';

async function passOn(passage: PrometheusQueries['passage'], req: Request, res: Response): Promise<void> {
  const { pathname, search } = new URL(req.originalUrl, 'http://engine');
  // A label that is called ".." would lead elsewhere.
  if (pathname !== req.path) return refuseAs(res, 400, `${req.path} is not a path of Prometheus' API`);
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const answer = await passage.pass({
    method: req.method === 'POST' ? 'POST' : 'GET',
    path: `${pathname}${search}`,
    headers: passedHeaders(req),
    body: typeof req.body === 'string' ? req.body : undefined,
    signal: gone.signal,
  });
  if (!answer.ok) return refuseAs(res, answer.status, answer.reason);
  res.writeHead(answer.status, { ...answer.headers, 'cache-control': 'no-store' });
  // A broken answer must not look whole; and whoever has hung up is not there to be told.
  await pipeline(answer.body, withinLimit, res).catch(() => res.destroy());
}

/** Credentials and cookies are for the engine, and for nobody behind it. */
function passedHeaders({ headers, body }: Request): Record<string, string> {
  const { accept, 'accept-encoding': encoding } = headers;
  return {
    ...(accept === undefined ? {} : { accept }),
    ...(typeof encoding === 'string' ? { 'accept-encoding': encoding } : {}),
    ...(typeof body === 'string' ? { 'content-type': FORM } : {}),
  };
}

const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

async function* withinLimit(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    yield piece;
  }
}

/** What was wrong with the request, as clients of Prometheus expect to be told. */
const inPrometheusForm: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  const fault = requestFault(error);
  if (res.headersSent || fault === undefined || fault.status >= 500) return next(error);
  refuseAs(res, fault.status, fault.message);
};

function refuseAs(res: Response, status: number, error: string): void {
  const errorType = status < 500 ? 'bad_data' : status === 504 ? 'timeout' : 'unavailable';
  refuse(res, { status, errorType, error });
}
