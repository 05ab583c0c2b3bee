import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../servers/free-port.ts';
import { answerBody } from './answer-body.ts';
import { answerWell, ask, serveAgent, serveTcp } from './asking.ts';

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const late = { kind: 'unreachable', reason: 'no whole answer within 0.3 s' };
const invalid = (reason: string) => ({ kind: 'invalid', reason: expect.stringContaining(reason) });
const unreachable = (reason: string) => ({ kind: 'unreachable', reason: expect.stringContaining(reason) });

/** What a ping comes to, after which no connection may be left. */
async function replyOfTcp(onRequest: (socket: Socket) => void, timeoutMs = 300) {
  const agent = await serveTcp((socket) => socket.once('data', () => onRequest(socket)));
  const startedAt = performance.now();
  const reply = await ask(agent.url, { timeoutMs });
  expect(performance.now() - startedAt).toBeLessThan(timeoutMs + 500);
  await expect.poll(() => agent.open.size).toBe(0);
  return reply;
}

describe('an agent that takes its time', () => {
  it('hangs: it accepts and says nothing', async () => {
    expect(await replyOfTcp(() => {})).toEqual(late);
  });

  it('hangs after the head', async () => {
    expect(await replyOfTcp((socket) => socket.write(`${HEAD}content-length: 10\r\n\r\n`))).toEqual(late);
  });

  it('drips its body, a byte at a time', async () => {
    const reply = await replyOfTcp((socket) => {
      socket.write(`${HEAD}content-length: 1000\r\n\r\n`);
      const drip = setInterval(() => socket.write('{'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    expect(reply).toEqual(late);
  });

  it('drips its head', async () => {
    const reply = await replyOfTcp((socket) => {
      socket.write(HEAD);
      const drip = setInterval(() => socket.write('x-more: yes\r\n'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    expect(reply).toEqual(late);
  });

  it('says that it will continue, for ever', async () => {
    const reply = await replyOfTcp((socket) => {
      const drip = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    expect(reply).toEqual(late);
  });

  it('has a name server that does not answer', async () => {
    const lookUp = () => new Promise<never>(() => {});
    const reply = await ask('http://agent.example.org:8001', { lookUp, timeoutMs: 300 });
    expect(reply).toEqual(late);
  });

  it('has a name server that answers when the time is nearly over', async () => {
    const agent = await serveAgent(() => {});
    const lookUp = () => wait(200, ['127.0.0.1']);
    const startedAt = performance.now();
    const url = `http://agent.example.org:${agent.port}`;
    expect(await ask(url, { lookUp, timeoutMs: 300 })).toEqual(late);
    expect(performance.now() - startedAt).toBeLessThan(450);
  });

  it('lets TLS wait', async () => {
    const agent = await serveTcp(() => {});
    const reply = await ask(agent.url.replace('http', 'https'), { timeoutMs: 300 });
    expect(reply).toEqual(late);
    await expect.poll(() => agent.open.size).toBe(0);
  });
});

describe('an engine that stops', () => {
  it.each(['http', 'https'])('leaves no connection over %s behind, however much time was left', async (scheme) => {
    const stop = new AbortController();
    const agent = await serveTcp(() => setTimeout(() => stop.abort(), 50));
    expect(await ask(agent.url.replace('http', scheme), { signal: stop.signal, timeoutMs: 60_000 })).toBeUndefined();
    await expect.poll(() => agent.open.size).toBe(0);
  });
});

describe('an agent that says too much', () => {
  const serve = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}) =>
    serveAgent((_, response) => void response.writeHead(200, headers).end(body));

  it('is read as far as 64 KiB', async () => {
    const padded = JSON.stringify(answerBody()).padEnd(65_536);
    expect(await ask((await serve(padded)).url)).toMatchObject({ kind: 'answered' });
    const reply = await ask((await serve(`${padded} `)).url);
    expect(reply).toEqual(invalid('it answers with more than 65536 bytes'));
  });

  it('without end is cut off', async () => {
    let sent = 0;
    const reply = await replyOfTcp((socket) => {
      socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
      const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
      const more = () => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
        socket.once('drain', more);
      };
      more();
    }, 3000);
    expect(reply).toEqual(invalid('more than 65536 bytes'));
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('that begins with an unasked-for "continue" is none', async () => {
    const reply = await replyOfTcp((socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 3000);
    expect(reply).toEqual(invalid('it does not speak HTTP: bad response'));
  });

  it('in its head is cut off too', async () => {
    const reply = await replyOfTcp((socket) => socket.write(`${HEAD}x: ${'y'.repeat(100_000)}\r\n\r\n`), 3000);
    expect(reply).toEqual(invalid('it does not speak HTTP'));
  });

  it('by compression is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(30 * 1024 * 1024));
    const { url } = await serve(bomb, { 'content-encoding': 'gzip' });
    expect(bomb.length).toBeLessThan(65_536);
    expect(await ask(url)).toEqual(invalid('it compresses its answer without being asked'));
    const small = gzipSync(JSON.stringify(answerBody()));
    expect(await ask((await serve(small)).url)).toEqual(invalid('what is not JSON'));
  });
});

describe('an agent that says nothing of use', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n', invalid('it does not speak HTTP')],
    ['noise', '\u0000\u0001\u0002\u00ff\r\n\r\n', invalid('it does not speak HTTP')],
    ['two lengths', `${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, invalid('it does not speak HTTP')],
    ['nothing', '', unreachable('other side closed')],
    ['half a head', 'HTTP/1.1 200 OK\r\ncont', unreachable('other side closed')],
    ['half a body', `${HEAD}content-length: 500\r\n\r\n{"boot_id": "bo`, unreachable('other side closed')],
    ['half JSON', `${HEAD}content-length: 9\r\n\r\n{"boot_id`, invalid('what is not JSON: "{\\"boot_id"')],
    ['an empty body', `${HEAD}content-length: 0\r\n\r\n`, invalid('what is not JSON: ""')],
    [
      'another protocol on request',
      'HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n',
      unreachable(''),
    ],
    ['a web page', `${HEAD}connection: close\r\n\r\n<html>Please log in`, invalid('not JSON: "<html>Please log in"')],
  ])('%s', async (_, text, reply) => {
    expect(await replyOfTcp((socket) => socket.end(text, 'latin1'), 3000)).toEqual(reply);
  });

  it('hangs up', async () => {
    expect(await replyOfTcp((socket) => socket.resetAndDestroy(), 3000)).toEqual(unreachable('ECONNRESET'));
  });

  it('is not there', async () => {
    const reply = await ask(`http://127.0.0.1:${await freePort()}`);
    expect(reply).toEqual(unreachable('ECONNREFUSED'));
  });

  it('has no address', async () => {
    const notFound = async () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
    const url = 'http://agent.example.org:8001';
    expect(await ask(url, { lookUp: notFound })).toEqual({
      kind: 'unreachable',
      reason: 'agent.example.org cannot be resolved: ENOTFOUND',
    });
    expect(await ask(url, { lookUp: async () => [] })).toEqual({
      kind: 'unreachable',
      reason: 'agent.example.org has no address',
    });
  });

  it('whatever its bytes are, a ping ends in a reply', async () => {
    let bytes: Uint8Array = Buffer.alloc(0);
    const agent = await serveTcp((socket) => socket.once('data', () => socket.end(bytes)));
    const kinds = ['answered', 'unreachable', 'refused', 'invalid'];
    const noise = fc.uint8Array({ maxLength: 200 });
    const head = fc.tuple(fc.constantFrom('HTTP/1.1 200 OK\r\n', HEAD, ''), noise);
    await fc.assert(
      fc.asyncProperty(head, noise, async ([start, middle], end) => {
        bytes = Buffer.concat([Buffer.from(start), middle, Buffer.from('\r\n\r\n'), end]);
        expect(kinds).toContain((await ask(agent.url))?.kind);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a thousand pings', () => {
  it('leave no socket, timer or listener behind, on either side', async () => {
    const stop = new AbortController();
    const well = await serveAgent(answerWell);
    const silent = await serveTcp(() => {});
    const hangsUp = await serveTcp((socket) => void socket.destroy());
    const urls = [well.url, silent.url, hangsUp.url, `http://127.0.0.1:${await freePort()}`];
    await ask(well.url);
    const before = process.getActiveResourcesInfo().length;
    for (let round = 0; round < 10; round++) {
      const pings = Array.from({ length: 100 }, (_, nth) =>
        ask(urls[nth % urls.length] ?? '', { timeoutMs: nth % 4 === 1 ? 100 : 5000, signal: stop.signal }),
      );
      for (const reply of await Promise.all(pings)) expect(reply).toBeDefined();
    }
    expect([well.requests.length, silent.count()]).toEqual([251, 250]);
    await expect.poll(() => silent.open.size + hangsUp.open.size).toBe(0);
    const openAtAgent = () => new Promise((resolve) => well.server.getConnections((_, count) => resolve(count)));
    await expect.poll(openAtAgent).toBe(0);
    await expect.poll(() => process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before + 2);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  }, 30_000);
});
