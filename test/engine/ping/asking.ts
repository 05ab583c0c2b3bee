/** Servers that play an agent, and pings of them. */
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { type AddressPolicy, addressGuard } from '../../../engine/ping/address-guard.ts';
import { type PingQuestion, pingAgent } from '../../../engine/ping/client.ts';
import type { LookUp } from '../../../engine/ping/name-lookup.ts';
import { answerBody } from './answer-body.ts';
import { STRICT } from './open-policy.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Runs after the test, the last one first. */
export function atEnd(end: () => Promise<unknown>): void {
  endings.push(end);
}

export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export interface Ask extends Partial<PingQuestion> {
  readonly policy?: Partial<AddressPolicy>;
  readonly timeoutMs?: number;
  readonly lookUp?: LookUp;
  readonly now?: () => number;
}

/** Pings with the cursor of `answerBody`, where 127.0.0.1 is all that is allowed. */
export function ask(url: string, { policy, timeoutMs = 5000, lookUp, now, ...question }: Ask = {}) {
  return pingAgent(
    {
      agentId: 'agent-001',
      url,
      cursor: { bootId: 'boot-1', seq: 100 },
      spanFromMs: NOW - 900_000,
      signal: new AbortController().signal,
      ...question,
    },
    {
      guard: addressGuard({ ...STRICT, allowNetworks: ['127.0.0.1'], ...policy }),
      timeoutMs,
      lookUp: lookUp ?? (async (name) => Promise.reject(new Error(`nobody asked for ${name}`))),
      now: now ?? (() => NOW),
    },
  );
}

/** An agent over HTTP; `requests` are the lines it was asked. */
export async function serveAgent(handler: RequestListener = answerWell, host = '127.0.0.1', port = 0) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  atEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const listening = server.address() as AddressInfo;
  return { url: `http://${host}:${listening.port}`, port: listening.port, requests, server };
}

export const answerWell: RequestListener = (_, response) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(answerBody()));
};

/** Anything that listens on TCP; `open` are the connections that are still there. */
export async function serveTcp(onConnection: (socket: Socket) => void) {
  const open = new Set<Socket>();
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => {});
    onConnection(socket);
    // Only a socket that is read hears that the other side is gone.
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, open, count: () => connections };
}
