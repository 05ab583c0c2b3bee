/** The exporter's HTTP server: limits on every connection, and a web configuration where there is one. */

import type { Socket } from 'node:net';
import { createBasicAuth } from './basic-auth.ts';
import type { WebConfigFile } from './config-file.ts';
import { turnAway } from './connection-door.ts';
import { closeWithin, createLimitedServer, createPlainServer, type WebServer } from './limited-server.ts';
import { createPasswordChecker } from './password-checker.ts';
import { createRequestGate } from './request-gate.ts';
import { createTlsFront } from './tls-front.ts';
import { defaultLimits, limited, type RawHandler, type WebLimits } from './web-limits.ts';

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

/** A server around `handler`. With a configuration file every connection and request is judged by the file of the moment. */
export function createWebServer(parts: WebServerParts): WebServer {
  const limits: WebLimits = { ...defaultLimits, ...parts.limits };
  return parts.configFile === undefined
    ? createPlainServer(parts.handler, limits)
    : configuredServer(parts, limits, parts.configFile);
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
  const { server, serve, door } = createLimitedServer(gate, limits);
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
