/** An HTTP server that says yes to everything and keeps what it was sent. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Captured {
  readonly path: string;
  readonly body: string;
}

export interface Capture {
  readonly url: string;
  readonly requests: readonly Captured[];
  close(): Promise<void>;
}

export async function startCapture(): Promise<Capture> {
  const requests: Captured[] = [];
  const server = createServer(async (request, response) => {
    requests.push({ path: request.url ?? '', body: await text(request) });
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"success","result":"ok"}');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const close = async () => {
    server.closeAllConnections();
    await server[Symbol.asyncDispose]();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}
