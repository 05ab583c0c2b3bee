/** Everything the exporter answers besides scrapes, through express: one row per path. */

import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import type { CollectFailure } from './collector.ts';
import { landingPage } from './landing-page.ts';
import { type Problem, sendMethodNotAllowed, sendProblem } from './problem.ts';
import type { Reading } from './scrape.ts';
import { internalError } from './scrape-handler.ts';

/** Handlers by path and method. HEAD is answered by GET. */
export type Routes = Readonly<Record<string, Readonly<Partial<Record<Method, RequestHandler>>>>>;

type Method = 'GET' | 'POST' | 'DELETE';

export interface AppParts {
  readonly reading: () => Reading;
  readonly source: string;
  readonly version: string;
  readonly onError: (error: unknown) => void;
}

/** `routes` are the endpoints with a module of their own. */
export function createApp(parts: AppParts, routes: Routes): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const landing = landingPage({ ...parts, paths: Object.keys(routes) });
  mountAll(app, {
    '/': { GET: (_request, response) => void response.type('html').send(landing) },
    '/-/healthy': { GET: (_request, response) => sendText(response, 200, 'The exporter is running.') },
    '/-/ready': { GET: (_request, response) => sendReadiness(response, parts.reading()) },
    '/health': { GET: (_request, response) => sendHealth(response, parts) },
    ...routes,
  });
  app.use((request, response) => sendNotFound(response, request.path));
  app.use(errorHandler(parts.onError));
  return app;
}

function mountAll(app: Express, routes: Routes): void {
  for (const [path, handlers] of Object.entries(routes)) {
    const allowed = Object.keys(handlers).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    app.all(path, (request, response, next) => {
      const handler = handlerFor(handlers, request.method);
      if (handler === undefined) sendMethodNotAllowed(response, request.method, allowed);
      else handler(request, response, next);
    });
  }
}

function handlerFor(handlers: Routes[string], method: string): RequestHandler | undefined {
  if (method === 'HEAD' || method === 'GET') return handlers.GET;
  if (method === 'POST' || method === 'DELETE') return handlers[method];
  return undefined;
}

function sendText(response: Response, status: number, text: string): void {
  response.status(status).type('text').send(`${text}\n`);
}

// Also ready when nothing could be read: then /metrics says so, and nobody would see that if it were not scraped.
function sendReadiness(response: Response, { state }: Reading): void {
  if (state.snapshot !== undefined) sendText(response, 200, 'The exporter is ready.');
  else if (state.failure !== undefined) sendText(response, 200, `The exporter is ready.${lastAttempt(state.failure)}`);
  else sendText(response, 503, 'The first reading is still under way.');
}

function lastAttempt({ message }: CollectFailure): string {
  return ` It has not read a GPU yet: ${message}.`;
}

function sendHealth(response: Response, { reading: read, source }: AppParts): void {
  const reading = read();
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
  if (error.status === 413) {
    const limit = 'limit' in error ? `at most ${error.limit} bytes` : 'fewer bytes';
    return { status: 413, title: 'Request body too large', detail: `The body may have ${limit}.` };
  }
  return { status: error.status, title: 'Unreadable request body', detail: error.message };
}
