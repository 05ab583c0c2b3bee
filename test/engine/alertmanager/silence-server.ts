/** An Alertmanager that tells silences as the test says, over a real socket. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SilencePeer } from '../../../engine/alertmanager/silences.ts';
import type { Silence } from '../../../engine/core/maintenance-span.ts';
import { openHttpClient } from '../../../engine/http-client/client.ts';
import { PLAIN_HTTP } from '../../../engine/http-client/settings.ts';

/** A silence as Alertmanager's API writes it. */
export function gettableSilence(silence: Silence): Record<string, unknown> {
  const { id, matchers, startsAtMs, endsAtMs, updatedAtMs, createdBy, comment } = silence;
  const [startsAt, endsAt, updatedAt] = [startsAtMs, endsAtMs, updatedAtMs].map((ms) => new Date(ms).toISOString());
  return { id, status: { state: 'active' }, matchers, startsAt, endsAt, updatedAt, createdBy, comment };
}

export class SilenceServer {
  /** What it tells; replaced by a test at any time. */
  silences: readonly Silence[] = [];
  /** Answers in its own way instead. */
  answer: ((response: ServerResponse) => void) | undefined;
  readonly paths: string[] = [];
  readonly client = openHttpClient(PLAIN_HTTP);
  readonly #server: Server = createServer((request, response) => {
    this.paths.push(`${request.method} ${request.url}`);
    if (this.answer !== undefined) this.answer(response);
    else response.end(JSON.stringify(this.silences.map(gettableSilence)));
  });

  async listen(): Promise<SilencePeer> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`, client: this.client };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.client.close();
  }
}
