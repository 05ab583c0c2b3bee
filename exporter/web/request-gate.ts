/** What a web configuration does to each request: rate limit, headers, passwords; in this order, and before anything else. */

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { BasicAuth, Verdict } from './basic-auth.ts';
import { vouchFor } from './caller.ts';
import type { WebSettings } from './config-file.ts';
import { createTokenBucket, type RateLimit, type TokenBucket } from './rate-limit.ts';
import type { TlsSettings } from './tls-settings.ts';
import type { RawHandler } from './web-limits.ts';

export interface GateParts {
  /** Looks at the configuration file; called for each request. */
  readonly settings: () => WebSettings;
  readonly basicAuth: BasicAuth;
  readonly isCurrentConnection: (socket: Socket, tls: TlsSettings) => boolean;
  readonly handler: RawHandler;
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
}

/** Lets through to `handler` what the configuration of the moment lets through. */
export function createRequestGate(parts: GateParts): RawHandler {
  const hasToken = createLimiter(parts.now);

  function pass(request: IncomingMessage, response: ServerResponse, isTrusted: boolean): void {
    if (isTrusted) vouchFor(request);
    parts.handler(request, response);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { tls, headers, users, rateLimit } = parts.settings();
    if (!hasToken(rateLimit)) return sendRefusal(response, 429);
    for (const [name, value] of headers) response.setHeader(name, value);
    const isCurrent = tls !== undefined && parts.isCurrentConnection(request.socket, tls);
    // A connection from before a change of the TLS settings gets this answer and no other; its certificate counts no more.
    if (tls !== undefined && !isCurrent) response.setHeader('Connection', 'close');
    const isCertified = isCurrent && tls.hasClientCa && isAuthorized(request.socket);
    if (users.size === 0) return pass(request, response, isCertified);
    const verdict = parts.basicAuth(attemptOf(request), users);
    const settled = typeof verdict === 'string' ? verdict : await verdict;
    if (response.destroyed) return;
    if (settled === 'granted') pass(request, response, true);
    else sendVerdict(response, settled);
  }

  return (request, response) => {
    answer(request, response).catch((error) => {
      parts.onError(error);
      if (!response.headersSent) sendRefusal(response, 500);
    });
  };
}

// A new state of the file means a new bucket only where the limit itself has changed.
function createLimiter(now: () => number): (rateLimit: RateLimit | undefined) => boolean {
  let current: { readonly rateLimit: RateLimit | undefined; readonly takeToken: TokenBucket } | undefined;
  return (rateLimit) => {
    if (current === undefined || current.rateLimit !== rateLimit)
      current = { rateLimit, takeToken: rateLimit ? createTokenBucket(rateLimit, now) : () => true };
    return current.takeToken();
  };
}

// True when an authority in force has signed the client's certificate.
function isAuthorized(socket: Socket): boolean {
  return 'authorized' in socket && socket.authorized === true;
}

function attemptOf({ headers, socket }: IncomingMessage) {
  return { authorization: headers.authorization, address: socket.remoteAddress };
}

function sendVerdict(response: ServerResponse, verdict: Exclude<Verdict, 'granted'>): void {
  if (verdict === 'refused') {
    response.setHeader('WWW-Authenticate', 'Basic');
    sendRefusal(response, 401);
  } else {
    response.setHeader('Retry-After', '1');
    sendRefusal(response, 503);
  }
}

// The same bytes as the exporter-toolkit sends: the name of the status and a line feed.
function sendRefusal(response: ServerResponse, status: number): void {
  const body = `${STATUS_CODES[status]}\n`;
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}
