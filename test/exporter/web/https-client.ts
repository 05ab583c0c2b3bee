/** A client with a connection of its own for each request. */

import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';

export interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly protocol: string | null;
  readonly cipher: string;
}

/** The answer; rejects where the server does not let the client in. */
export async function askHttps(options: RequestOptions): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', agent: false, timeout: 5000, ...options }).end();
  const [response] = await once(sent, 'response', { signal: AbortSignal.timeout(10_000) });
  const socket: TLSSocket = response.socket;
  const [protocol, cipher] = [socket.getProtocol(), socket.getCipher().name];
  return { status: response.statusCode, headers: response.headers, body: await text(response), protocol, cipher };
}

/** Without TLS. */
export async function askHttp(options: RequestOptions): Promise<Omit<Answer, 'protocol' | 'cipher'>> {
  const sent = plainRequest({ host: '127.0.0.1', agent: false, timeout: 5000, ...options }).end();
  const [response] = await once(sent, 'response', { signal: AbortSignal.timeout(10_000) });
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** The value of the header Authorization. */
export function basic(user: string, password: string): { readonly Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
