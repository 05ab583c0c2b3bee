/** The engine's HTTP application: routes in, JSON or problem+json out. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import express, { type ErrorRequestHandler, type Express, Router } from 'express';
import type { Logger } from 'pino';
import type { Pings } from '../ping/pings.ts';
import { PingStoreError } from '../ping/store-health.ts';
import { isStoreError } from '../store/store-error.ts';
import { actionRoutes } from './actions.ts';
import { type Credentials, requireCredentials } from './credentials.ts';
import { decisionRoutes } from './decisions.ts';
import { gpuRoutes } from './gpu.ts';
import { holdRoutes } from './holds.ts';
import { refuseOtherMethods } from './known-methods.ts';
import { landingRoutes } from './landing-page.ts';
import { lifecycleRoutes } from './lifecycle.ts';
import { maintenanceRoutes } from './maintenance.ts';
import { pageRoutes } from './pages.ts';
import { agentRoutes } from './ping-agents.ts';
import { dashboardRoutes } from './ping-dashboard.ts';
import { pingDecisionRoutes } from './ping-decisions.ts';
import { pingRoutes } from './ping-execution.ts';
import { pingResultBody } from './ping-result.ts';
import { Problem, sendProblem } from './problem.ts';
import { type PrometheusQueries, prometheusQueryRoutes } from './prometheus-queries.ts';
import { requestFault } from './request-fault.ts';
import { ruleRoutes } from './rules.ts';
import { discoveryRoutes } from './service-discovery.ts';
import type { EngineControl, EngineView } from './view.ts';

export interface AppOptions {
  readonly view: EngineView;
  readonly control: EngineControl;
  readonly credentials: Credentials;
  readonly queries: PrometheusQueries;
  readonly pings: Pings;
  /** Renders /metrics in pieces; empty ones only make room for other requests. */
  readonly metrics: () => AsyncIterable<string>;
  readonly log: Logger;
  readonly version: string;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function createApp(options: AppOptions): Express {
  const { view, control, credentials, queries, pings, metrics, log, version } = options;
  const app = express();
  const guard = requireCredentials(credentials);
  app.disable('x-powered-by');
  app.disable('etag');
  const routers = [
    metricsRoutes(metrics),
    landingRoutes(version),
    lifecycleRoutes(view, control, guard),
    gpuRoutes(view),
    decisionRoutes(view),
    actionRoutes(view),
    maintenanceRoutes(view),
    ruleRoutes(view, version),
    prometheusQueryRoutes(queries, credentials),
    pageRoutes(view),
    holdRoutes(view, control, guard),
    agentRoutes(pings, credentials, view.now),
    pingRoutes(pings, guard, view.now),
    dashboardRoutes(pings, view.now),
    pingDecisionRoutes({ pings, view, guard }),
    discoveryRoutes(pings),
  ];
  app.use(refuseOtherMethods(routers));
  app.use(pingResultBody());
  app.use(express.json({ limit: '64kb', strict: false }));
  app.use(...routers);
  app.use((req) => {
    throw new Problem(404, `${req.method} ${req.path} does not exist; the README lists the endpoints`);
  });
  app.use(errorHandler(log));
  return app;
}

function metricsRoutes(metrics: AppOptions['metrics']): Router {
  const router = Router();
  router.get('/metrics', async (_req, res) => {
    res.setHeader('content-type', METRICS_TYPE);
    // A scraper that hangs up has had enough; there is nobody left to tell.
    await pipeline(Readable.from(givingWay(metrics())), res).catch(() => res.destroy());
  });
  return router;
}

/** Lets other requests be answered between two pieces. */
async function* givingWay(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const piece of pieces) {
    if (piece !== '') yield piece;
    await setImmediate();
  }
}

/** The one place where errors become responses. Express knows an error handler by its four parameters. */
function errorHandler(log: Logger): ErrorRequestHandler {
  return (error, req, res, next) => {
    if (res.headersSent) return next(error);
    sendProblem(
      res,
      asProblem(error, (unexpected) => log.error({ err: unexpected, path: req.path }, 'request failed')),
    );
  };
}

const STORE_FAILS = "the store of agents and pings fails: try again, and see the engine's log";

function asProblem(error: unknown, onUnexpected: (error: unknown) => void): Problem {
  // Logged where it happened, once for all requests that it keeps from being answered.
  if (error instanceof PingStoreError) return new Problem(503, STORE_FAILS);
  if (isStoreError(error)) {
    onUnexpected(error);
    return new Problem(503, STORE_FAILS);
  }
  const fault = requestFault(error);
  if (fault !== undefined) return fault;
  onUnexpected(error);
  return new Problem(500, 'the engine failed to answer; its log says why');
}
