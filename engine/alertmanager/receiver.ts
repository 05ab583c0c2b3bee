/** A webhook receiver for Alertmanager: `POST /notifications`. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { parseJson } from '../text/parse-json.ts';
import { type Notification, notification, notificationLine } from './notification.ts';

const MAX_BODY_BYTES = 1024 * 1024;

export interface Receiver {
  /** The port it listens on: the one asked for, or the one the system chose for 0. */
  readonly port: number;
  close(): Promise<void>;
}

/** Handles requests; `onNotification` gets every valid notification before it is acknowledged. */
function createReceiver(options: { onNotification(received: Notification): void }): RequestListener {
  return (request, response) => {
    handle(request, options.onNotification)
      .catch((error: unknown) => ({ status: 400, text: `the request broke off: ${String(error)}` }))
      .then((answer) => reply(response, answer));
  };
}

/** Listens, and gives `onLine` one line per alert. Rejects when the port cannot be had. */
export async function startReceiver(options: {
  readonly host: string;
  readonly port: number;
  onLine(line: string): void;
}): Promise<Receiver> {
  const onNotification = ({ alerts }: Notification) => {
    for (const alert of alerts) options.onLine(notificationLine(alert));
  };
  const server = createServer({ requestTimeout: 10_000 }, createReceiver({ onNotification }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host, resolve);
  });
  const close = async () => {
    server.closeAllConnections();
    await server[Symbol.asyncDispose]();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function handle(request: IncomingMessage, onNotification: (received: Notification) => void): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'http://receiver');
  if (pathname === '/-/healthy') return { status: 200, text: 'gpu-uptime receiver is healthy' };
  if (pathname !== '/notifications') return { status: 404, text: 'notifications go to POST /notifications' };
  if (request.method !== 'POST') return { status: 405, text: 'notifications come by POST' };
  const body = await readBody(request);
  if (body === undefined) return { status: 413, text: `a notification has at most ${MAX_BODY_BYTES} bytes` };
  const parsed = notification.safeParse(parseJson(body));
  if (!parsed.success)
    return { status: 400, text: `not an Alertmanager notification:\n${z.prettifyError(parsed.error)}` };
  onNotification(parsed.data);
  return { status: 200, text: 'received' };
}

/** The body, or undefined when it is longer than allowed. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // The socket must outlive the loop, to carry the refusal.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function reply(response: ServerResponse, { status, text }: Answer): void {
  // What is left of a refused body is not worth reading.
  if (status === 413) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
