/** The exporter's HTTP interface. Scrapes are answered by node:http itself, everything else through express. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import type { CollectFailure } from './collector.ts';
import { landingPage } from './landing-page.ts';
import { textContentType } from './metrics/exposition.ts';
import { type Problem, sendMethodNotAllowed, sendProblem } from './problem.ts';
import type { Reading, Scrape, ScrapePage } from './scrape.ts';
import { simulateHandlers } from './simulate.ts';
import type { FaultBoard } from './source/mock/source.ts';

export interface HttpParts {
  readonly scrape: Scrape;
  readonly source: string;
  readonly version: string;
  /** Present when the source is simulated; mounts the control endpoint. */
  readonly faults: FaultBoard | undefined;
  readonly onError: (error: unknown) => void;
}

/** A server that is not listening yet. */
export function createHttpServer(parts: HttpParts): Server {
  const app = createApp(parts);
  const server = createServer((request, response) => {
    if (pathOf(request) === '/metrics') answerScrape(parts, request, response);
    else app(request, response);
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  // Longer than any usual scrape interval, so that Prometheus keeps its connection.
  server.keepAliveTimeout = 75_000;
  return server;
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

// Measured by test/bench/scrape.ts: 0.54-0.60 of bare node:http through express, 0.67-0.85 this way.
async function answerScrape(
  { scrape, onError }: HttpParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET' } = request;
  if (method !== 'GET' && method !== 'HEAD') return sendMethodNotAllowed(response, method, ['GET', 'HEAD']);
  try {
    await sendPage(response, await scrape.page(), acceptsGzip(request.headers['accept-encoding']));
  } catch (error) {
    onError(error);
    sendProblem(response, internalError);
  }
}

async function sendPage(response: ServerResponse, page: ScrapePage, isGzip: boolean): Promise<void> {
  const body = isGzip ? await page.gzipped() : page.text;
  response.setHeader('Content-Type', textContentType);
  response.setHeader('Vary', 'Accept-Encoding');
  if (isGzip) response.setHeader('Content-Encoding', 'gzip');
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

/** Whether an Accept-Encoding header takes gzip; `gzip;q=0` refuses it. */
export function acceptsGzip(header: string | undefined): boolean {
  if (header === undefined) return false;
  return header.split(',').some((coding) => /^\s*gzip\s*(;\s*q\s*=\s*(1|0\.0*[1-9]).*)?$/i.test(coding));
}

function createApp(parts: HttpParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const landing = landingPage({ ...parts, canSimulate: parts.faults !== undefined });
  mount(app, '/', { GET: (_request, response) => void response.type('html').send(landing) });
  mount(app, '/-/healthy', { GET: (_request, response) => sendText(response, 200, 'The exporter is running.') });
  mount(app, '/-/ready', { GET: (_request, response) => sendReadiness(response, parts.scrape.reading()) });
  mount(app, '/health', { GET: (_request, response) => sendHealth(response, parts) });
  if (parts.faults !== undefined) mount(app, '/api/v1/simulate', simulateHandlers(parts.faults));
  app.use((request, response) => sendNotFound(response, request.path));
  app.use(errorHandler(parts.onError));
  return app;
}

function mount(app: Express, path: string, handlers: Readonly<Record<string, RequestHandler>>): void {
  const allowed = Object.keys(handlers).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  app.all(path, (request, response, next) => {
    const handler = handlers[request.method === 'HEAD' ? 'GET' : request.method];
    return handler === undefined
      ? sendMethodNotAllowed(response, request.method, allowed)
      : handler(request, response, next);
  });
}

function sendText(response: Response, status: number, text: string): void {
  response.status(status).type('text').send(`${text}\n`);
}

function sendReadiness(response: Response, { state }: Reading): void {
  if (state.snapshot !== undefined) sendText(response, 200, 'The exporter is ready.');
  else sendText(response, 503, `The source has not been read yet.${lastAttempt(state.failure)}`);
}

function lastAttempt(failure: CollectFailure | undefined): string {
  return failure === undefined ? '' : ` The last attempt failed: ${failure.message}.`;
}

function sendHealth(response: Response, { scrape, source }: HttpParts): void {
  const reading = scrape.reading();
  response.status(reading.published === undefined ? 503 : 200).json({
    status: healthStatus(reading),
    source,
    gpus: reading.published?.gpus.length ?? 0,
    sample_age_seconds: reading.sampleAgeMs === undefined ? null : Math.round(reading.sampleAgeMs) / 1000,
    last_error: reading.state.failure?.message ?? null,
    gpu_failures: reading.published?.health.failures ?? [],
  });
}

function healthStatus({ state, published }: Reading): 'starting' | 'unavailable' | 'degraded' | 'ok' {
  if (published === undefined)
    return state.snapshot === undefined && state.failure === undefined ? 'starting' : 'unavailable';
  const isWhole = state.failure === undefined && published.health.failures.length === 0;
  return isWhole ? 'ok' : 'degraded';
}

function sendNotFound(response: Response, path: string): void {
  sendProblem(response, {
    status: 404,
    title: 'Not found',
    detail: `There is nothing at ${path}; "/" lists what there is.`,
  });
}

const internalError: Problem = {
  status: 500,
  title: 'Internal error',
  detail: 'The exporter could not answer; its log says why.',
};

// Body parsing errors carry a 4xx status and a message meant for the client; anything else is a fault of ours.
function errorHandler(onError: (error: unknown) => void): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    const problem = clientProblem(error);
    if (problem === undefined) onError(error);
    sendProblem(response, problem ?? internalError);
  };
}

function clientProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  if (error.status < 400 || error.status > 499) return undefined;
  if (error.status === 413)
    return { status: 413, title: 'Request body too large', detail: 'The body may have at most 4 KiB.' };
  return { status: error.status, title: 'Unreadable request body', detail: error.message };
}
