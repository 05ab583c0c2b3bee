/** One connection for one request: what a client that trusts nobody costs least. */
import { connect as connectSocket, type LookupFunction } from 'node:net';
import { type buildConnector, Client } from 'undici';
import { connectorOf } from './connections.ts';
import type { TlsSettings } from './settings.ts';

export interface SingleConnection {
  readonly tls: TlsSettings;
  /** Where the name leads, instead of what the system says. */
  readonly lookup: LookupFunction;
  /** Ends the connection, also while it is about to begin. Whoever opens one has to fire it. */
  readonly signal: AbortSignal;
  readonly onConnect: () => void;
}

/** Opens no socket before the first request. Time limits are the caller's, who has the signal. */
export function openSingleConnection(origin: string, { tls, lookup, signal, onConnect }: SingleConnection): Client {
  const connect = origin.startsWith('https:') ? connectorOf(tls, { lookup }, signal) : plainConnector(lookup, signal);
  const noted: Connect = (options, callback) =>
    connect(options, (...outcome) => {
      onConnect();
      callback(...outcome);
    });
  return new Client(origin, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connect: noted });
}

type Connect = buildConnector.connector;

// Made once: an error looks up where it was made.
const UNWANTED = new Error('the connection is not wanted any more');

/** undici's own connector keeps a cache of TLS sessions and timers, which cost as much as half of a plain request. */
function plainConnector(lookup: LookupFunction, signal: AbortSignal): Connect {
  return ({ hostname, port }, callback) => {
    const socket = connectSocket({ lookup, host: hostname, port: Number(port || 80), noDelay: true });
    // undici waits for a connection that is about to begin, whatever becomes of the request.
    const breakOff = () => socket.destroy(UNWANTED);
    let isTold = false;
    const tell: typeof callback = (...outcome) => {
      signal.removeEventListener('abort', breakOff);
      if (!isTold) callback(...outcome);
      isTold = true;
    };
    socket.once('connect', () => tell(null, socket)).on('error', (error) => tell(error, null));
    signal.addEventListener('abort', breakOff);
    if (signal.aborted) breakOff();
  };
}
