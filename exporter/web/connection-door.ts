/** Counts connections, in all and per client, and closes them all at the end. */

import type { Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { WebLimits } from './web-limits.ts';

export interface ConnectionDoor {
  /** Whether there is room for one more; it is counted until it closes. */
  admit(socket: Socket): boolean;
  /** Ends whatever is open, handshakes too. */
  closeAll(): void;
}

type Room = Pick<WebLimits, 'maxConnections' | 'maxConnectionsPerClient'>;

export function createConnectionDoor({ maxConnections, maxConnectionsPerClient }: Room): ConnectionDoor {
  const open = new Set<Socket>();
  const perClient = new Map<string, number>();

  function count(socket: Socket, client: string, own: number): void {
    open.add(socket);
    perClient.set(client, own + 1);
    socket.once('close', () => {
      open.delete(socket);
      const left = (perClient.get(client) ?? 1) - 1;
      if (left > 0) perClient.set(client, left);
      else perClient.delete(client);
    });
  }

  return {
    admit(socket) {
      const client = clientOf(socket.remoteAddress);
      const own = perClient.get(client) ?? 0;
      const hasRoom = open.size < maxConnections && own < maxConnectionsPerClient;
      if (hasRoom) count(socket, client, own);
      return hasRoom;
    },
    closeAll() {
      for (const socket of open) socket.destroy();
    },
  };
}

/** Who is counted as one client: an IPv4 address, or the /64 that a machine has to itself in IPv6. */
export function clientOf(address = ''): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).map(hextet).join(':') : parsed.toString();
}

function hextet(part: number): string {
  return part.toString(16);
}

const full = 'Too many connections are open: close some, or wait.\n';
const fullAnswer = [
  'HTTP/1.1 503 Service Unavailable',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${Buffer.byteLength(full)}`,
  'Retry-After: 1',
  'Connection: close',
  '',
  full,
].join('\r\n');

const drainMs = 1000;

/** Says 503 without reading the request, and hangs up. */
export function turnAway(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.setTimeout(drainMs, () => socket.destroy());
  // What the client has sent is taken and dropped: closing on unread bytes would reset the connection and lose the answer.
  socket.resume();
  socket.end(fullAnswer);
}
