/** An Alertmanager that stores what it is sent, and fails as the test says, over a real socket. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PostableAlert } from '../../../engine/alertmanager/payload.ts';

export type Behaviour = number | 'hang' | 'reset' | 'redirect';

export class FakeAlertmanager {
  /** Every POST that was read, whatever the answer. */
  readonly posts: PostableAlert[][] = [];
  readonly paths: string[] = [];
  readonly #server: Server;
  /** Decides each answer; 200 unless a test replaces it. */
  behave: (alerts: readonly PostableAlert[], post: number) => Behaviour | Promise<Behaviour> = () => 200;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const alerts: PostableAlert[] = JSON.parse(Buffer.concat(chunks).toString());
    this.paths.push(`${request.method} ${request.url}`);
    this.posts.push(alerts);
    const behaviour = await this.behave(alerts, this.posts.length);
    if (behaviour === 'reset') request.socket.resetAndDestroy();
    else if (behaviour === 'redirect') response.writeHead(302, { location: 'http://elsewhere.example/' }).end();
    else if (behaviour !== 'hang') response.writeHead(behaviour).end(behaviour === 200 ? '' : `said ${behaviour}`);
  }
}
