/** The exporter's HTTP server: limits on every connection, and a web configuration where there is one. */

import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createBasicAuth } from './basic-auth.ts';
import type { WebConfigFile } from './config-file.ts';
import { createConnectionDoor, turnAway } from './connection-door.ts';
import { createPasswordChecker } from './password-checker.ts';
import { createRequestGate } from './request-gate.ts';
import { createStallWatch } from './stall-watch.ts';
import { createTlsFront } from './tls-front.ts';
import { defaultLimits, limited, type RawHandler, serverOptions, type WebLimits } from './web-limits.ts';

export interface WebServerParts {
  /** Undefined: plain HTTP without passwords, and nothing added to a request. */
  readonly configFile: WebConfigFile | undefined;
  readonly handler: RawHandler;
  readonly limits?: Partial<WebLimits>;
  /** A client did not get through the TLS handshake. Anybody can cause this at any rate. */
  readonly onHandshakeRefused: (address: string | undefined, reason: string) => void;
  readonly onError: (error: unknown) => void;
  /** Milliseconds, from any start. */
  readonly now: () => number;
}

export interface WebServer {
  /** Not listening yet. */
  readonly server: Server;
  /** Answers under way may finish within `graceMs`; then they are cut off. */
  close(graceMs: number): Promise<void>;
}

/** A server around `handler`. With a configuration file every connection and request is judged by the file of the moment. */
export function createWebServer(parts: WebServerParts): WebServer {
  const limits: WebLimits = { ...defaultLimits, ...parts.limits };
  return parts.configFile === undefined
    ? plainServer(parts, limits)
    : configuredServer(parts, limits, parts.configFile);
}

function plainServer({ handler }: WebServerParts, limits: WebLimits): WebServer {
  const { server, serve, door } = limitedServer(limited(handler, limits), limits);
  server.on('connection', (socket: Socket) => (door.admit(socket) ? serve(socket) : turnAway(socket)));
  return { server, close: (graceMs) => closeWithin(server, door.closeAll, graceMs) };
}

function configuredServer(parts: WebServerParts, limits: WebLimits, configFile: WebConfigFile): WebServer {
  const checker = createPasswordChecker();
  const gate = createRequestGate({
    ...parts,
    handler: limited(parts.handler, limits),
    settings: () => configFile.settings(),
    basicAuth: createBasicAuth(checker),
    isCurrentConnection: (socket, tls) => front.isCurrent(socket, tls),
  });
  const { server, serve, door } = limitedServer(gate, limits);
  const front = createTlsFront({ ...limits, serve, onRefused: parts.onHandshakeRefused });
  server.on('connection', (socket: Socket) => {
    const { tls } = configFile.settings();
    if (!door.admit(socket)) tls === undefined ? turnAway(socket) : socket.destroy();
    else if (tls === undefined) serve(socket);
    else front.accept(socket, tls);
  });
  return {
    server,
    close: async (graceMs) => {
      await closeWithin(server, door.closeAll, graceMs);
      await checker.close();
    },
  };
}

// Connections beyond the limit are answered, up to so many at once; what comes on top is dropped.
const answeredBeyond = 64;

/** A server whose connections reach node:http only through `serve`. */
function limitedServer(handler: RawHandler, limits: WebLimits) {
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

// Node closes the idle connections once; those that are answered later become idle then.
async function closeWithin(server: Server, closeAll: () => void, graceMs: number): Promise<void> {
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
