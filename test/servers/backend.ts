/** What stands behind a gateway: it says what reached it. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { freePort } from './free-port.ts';

export interface Backend {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startBackend(): Promise<Backend> {
  const port = await freePort();
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const body = await text(request);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, url, body, decisionId: headers['x-decision-id'] }));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, stop };
}
