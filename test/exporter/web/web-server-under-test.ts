/** The real server on a free port of 127.0.0.1, closed when the running test is over. */

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { isLocal, mayWrite } from '../../../exporter/web/caller.ts';
import { openWebConfig } from '../../../exporter/web/config-file.ts';
import type { WebServer } from '../../../exporter/web/limited-server.ts';
import type { RawHandler, WebLimits } from '../../../exporter/web/web-limits.ts';
import { createWebServer } from '../../../exporter/web/web-server.ts';

export interface Served extends WebServer {
  readonly port: number;
  /** What became of changed files: `reloaded`, or the problems that kept the old state. */
  readonly reloads: string[];
  readonly refusedHandshakes: string[];
  readonly errors: unknown[];
}

export interface ServeOptions {
  /** Path of a web configuration file; none by default. */
  readonly config?: string;
  readonly handler?: RawHandler;
  readonly limits?: Partial<WebLimits>;
  readonly address?: string;
  /** For the rate limit. */
  readonly now?: () => number;
}

/** Listens; throws with the problems of a configuration that cannot be used. */
export async function serveWeb({ config, handler = sayWho, ...options }: ServeOptions = {}): Promise<Served> {
  const [reloads, refusedHandshakes, errors]: [string[], string[], unknown[]] = [[], [], []];
  const web = createWebServer({
    configFile: config === undefined ? undefined : opened(config, reloads),
    handler,
    limits: options.limits ?? {},
    onHandshakeRefused: (_address, reason) => refusedHandshakes.push(reason),
    onError: (error) => errors.push(error),
    now: options.now ?? (() => performance.now()),
  });
  web.server.listen(0, options.address ?? '127.0.0.1');
  await once(web.server, 'listening');
  onTestFinished(() => web.close(0));
  return { ...web, port: (web.server.address() as AddressInfo).port, reloads, refusedHandshakes, errors };
}

function opened(path: string, reloads: string[]) {
  const result = openWebConfig(path, {
    now: Date.now,
    onReload: () => reloads.push('reloaded'),
    onRefused: (problems) => reloads.push(...problems),
  });
  if (result.kind === 'invalid') throw new Error(result.problems.join('\n'));
  return result.file;
}

function sayWho(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ url: request.url, isLocal: isLocal(request), mayWrite: mayWrite(request) }));
}
