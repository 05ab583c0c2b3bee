/** Who is asking: may this request control the exporter? */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import { type Problem, sendProblem } from '../problem.ts';

/** What is looked at; every node:http and express request has it. */
export interface Caller {
  readonly headers: IncomingMessage['headers'];
  readonly socket: { readonly remoteAddress?: string | undefined };
}

const vouchedFor = new WeakSet<Caller>();

/** Notes that a request came with credentials of the web configuration: a password, or a certificate of its authority. */
export function vouchFor(caller: Caller): void {
  vouchedFor.add(caller);
}

// Every proxy that people use sends one of these, some only when told to.
const proxyHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];

/** Whether the request was made on this machine, and not passed on by a proxy on it. */
export function isLocal({ headers, socket }: Caller): boolean {
  return isLoopback(socket.remoteAddress ?? '') && proxyHeaders.every((name) => headers[name] === undefined);
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

// Also true for an IPv4 loopback address written as IPv6, as dual-stack sockets report it.
function isLoopback(address: string): boolean {
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Whether the request may change something: with credentials from anywhere, else from this machine; never for a foreign web page. */
export function mayWrite(caller: Caller): boolean {
  return writeRefusal(caller) === undefined;
}

/** Lets only those through to `handler` who may write; the others get 403 and what to do. For node:http and express. */
export function writeGuard<
  Request extends IncomingMessage,
  Response extends ServerResponse,
  Rest extends readonly unknown[],
>(
  handler: (request: Request, response: Response, ...rest: Rest) => unknown,
): (request: Request, response: Response, ...rest: Rest) => void {
  return (request, response, ...rest) => {
    const refusal = writeRefusal(request);
    if (refusal === undefined) handler(request, response, ...rest);
    else sendProblem(response, refusal);
  };
}

function writeRefusal(caller: Caller): Problem | undefined {
  if (isForeignPage(caller)) return foreignPage;
  if (vouchedFor.has(caller)) return undefined;
  if (!isLocal(caller)) return notLocal;
  return isLoopbackName(hostOf(caller)) ? undefined : foreignName;
}

const foreignPage: Problem = {
  status: 403,
  title: 'Not for other web pages',
  detail: 'A browser asks this for a page that is not of this exporter. Use curl, or the gpu-uptime command.',
};

const notLocal: Problem = {
  status: 403,
  title: 'Only from this machine',
  detail:
    'Without credentials this can be asked from the loopback address only, and not through a proxy. To allow it from elsewhere, ' +
    'set basic_auth_users or client_ca_file in the web configuration file, and send a password or a client certificate.',
};

const foreignName: Problem = {
  status: 403,
  title: 'Only by the name localhost',
  detail: 'The Host of the request is not this machine. Ask for localhost, 127.0.0.1 or [::1] instead.',
};

// Browsers say where a request comes from, and no page can forge it; what is no browser says nothing.
function isForeignPage({ headers }: Caller): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return headers.origin !== undefined && hostOfOrigin(headers.origin) !== headers.host;
}

function hostOfOrigin(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

// A page whose name was made to point here has its own name in Host: that is how DNS rebinding shows.
function isLoopbackName(name: string): boolean {
  return name === 'localhost' || isLoopback(name);
}

function hostOf({ headers: { host = '' } }: Caller): string {
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
  return name.replace(/^\[|\]$/g, '');
}
