/** A server of node:http with limits on every connection, and nothing else: what the exporter is without a web configuration. */

import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createConnectionDoor, turnAway } from './connection-door.ts';
import { createStallWatch } from './stall-watch.ts';
import { limited, type RawHandler, serverOptions, type WebLimits } from './web-limits.ts';

export interface WebServer {
  /** Not listening yet. */
  readonly server: Server;
  /** Answers under way may finish within `graceMs`; then they are cut off. */
  close(graceMs: number): Promise<void>;
}

/** Plain HTTP without passwords; nothing is added to a request. */
export function createPlainServer(handler: RawHandler, limits: WebLimits): WebServer {
  const { server, serve, door } = createLimitedServer(limited(handler, limits), limits);
  server.on('connection', (socket: Socket) => (door.admit(socket) ? serve(socket) : turnAway(socket)));
  return { server, close: (graceMs) => closeWithin(server, door.closeAll, graceMs) };
}

// Connections beyond the limit are answered, up to so many at once; what comes on top is dropped.
const answeredBeyond = 64;

/** A server whose connections reach node:http only through `serve`. */
export function createLimitedServer(handler: RawHandler, limits: WebLimits) {
  const server = createServer(serverOptions(limits), handler);
  // Headers are limited by their bytes. A limit by number would drop those at the end, and with them what a proxy adds.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.maxConnections + answeredBeyond;
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  const stalls = createStallWatch(limits.stalledTimeoutMs);
  server.on('listening', stalls.start).on('close', stalls.stop);
  const serve = (socket: Socket) => {
    stalls.add(socket);
    for (const listener of listeners) Reflect.apply(listener, server, [socket]);
  };
  return { server, serve, door: createConnectionDoor(limits) };
}

const closingStepMs = 50;

/** Stops listening. Node closes the idle connections once; those that are answered later become idle then. */
export async function closeWithin(server: Server, closeAll: () => void, graceMs: number): Promise<void> {
  let isClosed = false;
  server.close(() => {
    isClosed = true;
  });
  for (let leftMs = graceMs; leftMs > 0 && !isClosed; leftMs -= closingStepMs) {
    server.closeIdleConnections();
    await delay(Math.min(closingStepMs, leftMs));
  }
  closeAll();
}
