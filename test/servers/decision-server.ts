/** What gateways ask: the engine itself, or this stand-in that keeps exactly its contract. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { freePort } from './free-port.ts';

export interface DecisionServer {
  readonly port: number;
  /** From now on text-to-image is delayed. */
  delay(): Promise<void>;
  /** From now on text-to-image may run. */
  recover(): Promise<void>;
  stop(): Promise<void>;
}

const RETRY_AFTER_SECONDS = 300;

/** A decision server that answers from a switch. */
export async function startFakeDecisionServer(): Promise<DecisionServer> {
  let isDelayed = false;
  const server = createServer((request, response) => answer(request, response, isDelayed));
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    delay: async () => {
      isDelayed = true;
    },
    recover: async () => {
      isDelayed = false;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// A query would be the client's own: a gateway must not let it choose what the decision is about.
function answer(request: IncomingMessage, response: ServerResponse, isDelayed: boolean): void {
  const flavour = /^\/api\/v1\/gate\/(forward|nginx)\/text-to-image$/.exec(request.url ?? '')?.[1];
  if (flavour === undefined) response.writeHead(404).end();
  else if (isDelayed) deny(response, flavour);
  else
    response.writeHead(200, { 'content-length': '0', 'cache-control': 'no-store', 'x-decision-id': 'allowed-1' }).end();
}

function deny(response: ServerResponse, flavour: string): void {
  const problem = { type: 'about:blank', title: 'Too Many Requests', status: 429, detail: 'Low uptime detected' };
  response.writeHead(flavour === 'nginx' ? 403 : 429, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'retry-after': String(RETRY_AFTER_SECONDS),
    'x-decision-id': 'denied-1',
    'x-decision-status': '429',
  });
  response.end(JSON.stringify(problem));
}
