/** The exporter's HTTP interface: scrapes first, then everything else. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendProblem } from './problem.ts';
import type { AppParts, Routes } from './routes.ts';
import { createScrapeHandler, internalError, type ScrapeHandlerParts } from './scrape-handler.ts';

export interface HttpParts extends AppParts, ScrapeHandlerParts {
  /** Endpoints with a module of their own. */
  readonly loadRoutes: () => Promise<Routes>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What a server of node:http calls for each request. Express is loaded when it is first needed: Prometheus never needs it. */
export function createHandler(parts: HttpParts): Handler {
  const scrape = createScrapeHandler(parts);
  let app: Promise<Handler> | undefined;
  return (request, response) => {
    if (scrape(request, response)) return;
    app ??= loadApp(parts);
    app.then(
      (answer) => answer(request, response),
      (error: unknown) => {
        // The next request tries again.
        app = undefined;
        parts.onError(error);
        sendProblem(response, internalError);
      },
    );
  };
}

async function loadApp(parts: HttpParts): Promise<Handler> {
  const [{ createApp }, routes] = await Promise.all([import('./routes.ts'), parts.loadRoutes()]);
  return createApp(parts, routes);
}
