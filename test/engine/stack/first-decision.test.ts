import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { announceFirstDecision } from '../../../engine/stack/first-decision.ts';
import { freePort } from '../../servers/free-port.ts';

/** An engine that is ready from the third question on and then always decides `answer`. */
async function startEngine(answer: unknown): Promise<string> {
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.url === '/-/ready') asked += 1;
    response.statusCode = asked < 3 ? 503 : 200;
    response.end(request.url === '/api/v1/decisions/delay' ? JSON.stringify(answer) : '');
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${port}`;
}

describe('announceFirstDecision', () => {
  it.each([
    [true, 'first decision ready: text-to-image may run (fleet healthy: all windows meet their threshold)'],
    [false, 'first decision ready: text-to-image must wait 300 s (fleet healthy: all windows meet their threshold)'],
  ])('puts can_process %s into words', async (can_process, line) => {
    const reason = 'all windows meet their threshold';
    const engine = await startEngine({ can_process, wait_time_seconds: 300, reason, status: 'HEALTHY' });
    const lines: string[] = [];
    const watch = { signal: new AbortController().signal, onLine: (text: string) => lines.push(text) };
    await announceFirstDecision(engine, watch);
    expect(lines).toEqual([line]);
  });

  it('ends without a word when it is interrupted', async () => {
    const engine = `http://127.0.0.1:${await freePort()}`;
    const lines: string[] = [];
    const watch = { signal: AbortSignal.timeout(300), onLine: (text: string) => lines.push(text) };
    await announceFirstDecision(engine, watch);
    expect(lines).toEqual([]);
  });
});
