/** An Alertmanager that stores what it is sent, and fails as the test says, over a real socket. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PostableAlert } from '../../../engine/alertmanager/payload.ts';
import { fingerprintOf } from '../../../engine/core/fingerprint.ts';

export type Behaviour = number | 'hang' | 'reset' | 'redirect';

export class FakeAlertmanager {
  /** Every POST that was read, whatever the answer. */
  readonly posts: PostableAlert[][] = [];
  readonly paths: string[] = [];
  /** How often it was asked which alerts it holds. */
  gets = 0;
  /** Fingerprints it claims to hold; those of all it was ever sent unless a test says otherwise. */
  holds: readonly string[] | undefined;
  /** Its answer to that question, if not the list of `holds`. */
  getAnswer: { readonly status: number; readonly body: string } | undefined;
  /** The header of every answer to a POST. */
  retryAfter: string | undefined;
  readonly #server: Server;
  /** Decides each answer; 200 unless a test replaces it. */
  behave: (alerts: readonly PostableAlert[], post: number) => Behaviour | Promise<Behaviour> = () => 200;

  constructor() {
    this.#server = createServer((request, response) => {
      if (request.method === 'GET') this.#list(response);
      else void this.#answer(request, response);
    });
  }

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #list(response: ServerResponse): void {
    this.gets++;
    const holds = this.holds ?? this.posts.flat().map(({ labels }) => fingerprintOf(labels));
    const list = JSON.stringify(holds.map((fingerprint) => ({ fingerprint })));
    const { status, body } = this.getAnswer ?? { status: 200, body: list };
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
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
    else if (behaviour !== 'hang') {
      const headers = this.retryAfter === undefined ? {} : { 'retry-after': this.retryAfter };
      response.writeHead(behaviour, headers).end(behaviour === 200 ? '' : `said ${behaviour}`);
    }
  }
}
