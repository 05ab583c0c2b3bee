/** What a client may take of the server, and what it is told when it asks for more. */

import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';
import { sendProblem } from '../problem.ts';

export interface WebLimits {
  /** From a connection's first byte, or the end of its handshake, to the end of the headers. */
  readonly headersTimeoutMs: number;
  /** The same, to the end of the body. */
  readonly requestTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  /** How long the same bytes of an answer may wait for the client to take them; up to twice that goes by. */
  readonly stalledTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxUrlLength: number;
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  /** So that one client cannot shut all the others out. */
  readonly maxConnectionsPerClient: number;
}

export const defaultLimits: WebLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  stalledTimeoutMs: 30_000,
  // Longer than any usual scrape interval, so that Prometheus keeps its connection.
  keepAliveTimeoutMs: 75_000,
  maxHeaderBytes: 16 * 1024,
  maxUrlLength: 4096,
  maxBodyBytes: 64 * 1024,
  maxConnections: 1024,
  maxConnectionsPerClient: 512,
};

/** The limits that node:http enforces itself. */
export function serverOptions(limits: WebLimits): ServerOptions {
  return {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    // Node looks for requests that are late only this often; 30 s unless told otherwise.
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
  };
}

export type RawHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Refuses what is too large before `handler` sees it. Two comparisons for a GET. */
export function limited(handler: RawHandler, { maxUrlLength, maxBodyBytes }: WebLimits): RawHandler {
  return (request, response) => {
    const { method, url = '' } = request;
    if (url.length > maxUrlLength) sendUrlTooLong(response, maxUrlLength);
    else if (method !== 'GET' && isBodyAbove(request, maxBodyBytes)) sendBodyTooLarge(response, maxBodyBytes);
    else handler(request, response);
  };
}

// A body sent in chunks has no length yet; whoever reads it has a limit of his own, and time ends it in any case.
function isBodyAbove({ headers }: IncomingMessage, maxBytes: number): boolean {
  return Number(headers['content-length'] ?? 0) > maxBytes;
}

function sendUrlTooLong(response: ServerResponse, maxLength: number): void {
  const detail = `The path and query may have at most ${maxLength} characters.`;
  sendProblem(response, { status: 414, title: 'URL too long', detail });
}

// Without the connection's end, Node would read the rest of the body just to throw it away.
function sendBodyTooLarge(response: ServerResponse, maxBytes: number): void {
  response.setHeader('Connection', 'close');
  const detail = `The body may have at most ${maxBytes / 1024} KiB.`;
  sendProblem(response, { status: 413, title: 'Request body too large', detail });
}
