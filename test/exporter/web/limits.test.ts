import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { basic } from './https-client.ts';
import { serveWeb } from './web-server-under-test.ts';

async function dial(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket.on('error', () => undefined);
}

/** All that the server says until it hangs up; rejects when it does not within five seconds. */
async function untilHangUp(socket: Socket): Promise<string> {
  const timer = AbortSignal.timeout(5000);
  timer.addEventListener('abort', () => socket.destroy(new Error('the server did not hang up')));
  return text(socket);
}

/** What the server says to these bytes until it hangs up. */
async function say(port: number, bytes: string): Promise<string> {
  const socket = await dial(port);
  socket.write(bytes);
  return untilHangUp(socket);
}

const statusLine = (answer: string) => answer.split('\r\n', 1)[0];
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;

describe('a slow client', () => {
  it.each([
    { what: 'says nothing', bytes: '' },
    { what: 'stops in the middle of the headers', bytes: 'GET / HTTP/1.1\r\nHost: loc' },
    {
      what: 'stops in the middle of the body',
      bytes: 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc',
    },
  ])('that $what gets 408 and is gone', async ({ bytes }) => {
    const limits = { headersTimeoutMs: 150, requestTimeoutMs: 150 };
    const { port } = await serveWeb({ limits, handler: (request) => void request.resume() });
    expect(statusLine(await say(port, bytes))).toBe('HTTP/1.1 408 Request Timeout');
  });

  it('that sends a header every now and then gets no more time', async () => {
    const { port } = await serveWeb({ limits: { headersTimeoutMs: 200, requestTimeoutMs: 200 } });
    const socket = await dial(port);
    socket.write('GET / HTTP/1.1\r\n');
    const trickle = setInterval(() => socket.write('X-Slow: 1\r\n'), 20);
    onTestFinished(() => clearInterval(trickle));
    expect(statusLine(await untilHangUp(socket))).toBe('HTTP/1.1 408 Request Timeout');
  });

  it('that takes none of the answer is gone', async () => {
    const { port, server } = await serveWeb({
      limits: { stalledTimeoutMs: 150 },
      handler: (_request, response) => void response.end(Buffer.alloc(64 * 1024 * 1024)),
    });
    const socket = await dial(port);
    socket.pause().write(get('/'));
    await expect.poll(() => countConnections(server), { timeout: 5000 }).toBe(0);
  });

  it('that keeps an idle connection loses it in the end', async () => {
    const { port } = await serveWeb({ limits: { keepAliveTimeoutMs: 100 } });
    const answer = await say(port, get('/') + get('/again'));
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

describe('a request that is too large', () => {
  it.each([
    {
      what: 'headers',
      bytes: get('/', `X-Long: ${'x'.repeat(20_000)}\r\n`),
      status: '431 Request Header Fields Too Large',
    },
    {
      what: 'a URL beyond the headers',
      bytes: get(`/${'x'.repeat(20_000)}`),
      status: '431 Request Header Fields Too Large',
    },
    { what: 'a URL', bytes: get(`/?${'x'.repeat(5000)}`, 'Connection: close\r\n'), status: '414 URI Too Long' },
    {
      what: 'a body',
      bytes: 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n',
      status: '413 Payload Too Large',
    },
  ])('of $what is refused before anybody reads it', async ({ bytes, status }) => {
    let handled = 0;
    const { port } = await serveWeb({ handler: () => void handled++ });
    expect(statusLine(await say(port, bytes))).toBe(`HTTP/1.1 ${status}`);
    expect(handled).toBe(0);
  });

  it('says what the limit is', async () => {
    const { port } = await serveWeb();
    const answer = await say(port, 'PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n');
    expect(JSON.parse(bodyOf(answer))).toEqual({
      type: 'about:blank',
      status: 413,
      title: 'Request body too large',
      detail: 'The body may have at most 64 KiB.',
    });
    expect(answer).toContain('Connection: close');
  });

  it.each(['GET / HTTP/1.1\r\n\r\n', 'hello\r\n\r\n', '\x00\x01\x02\r\n\r\n'])('%j is a bad request', async (bytes) => {
    const { port } = await serveWeb();
    expect(statusLine(await say(port, bytes))).toBe('HTTP/1.1 400 Bad Request');
  });

  it('cannot push out the header that tells of a proxy', async () => {
    const { port } = await serveWeb();
    const many = 'a:\r\n'.repeat(3000);
    const answer = await say(port, get('/', `${many}X-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n`));
    expect(JSON.parse(bodyOf(answer))).toEqual({ url: '/', isLocal: false, mayWrite: false });
  });
});

describe('too many connections', () => {
  const busy = 'Too many connections are open: close some, or wait.\n';

  it('get 503 in words, and room again when one closes', async () => {
    const { port } = await serveWeb({ limits: { maxConnections: 2 } });
    const [first] = await Promise.all([dial(port), dial(port)]);
    const refused = await say(port, get('/'));
    expect([statusLine(refused), bodyOf(refused)]).toEqual(['HTTP/1.1 503 Service Unavailable', busy]);
    expect(refused).toContain('Retry-After: 1\r\n');
    first.destroy();
    await expect
      .poll(async () => statusLine(await say(port, get('/', 'Connection: close\r\n'))))
      .toBe('HTTP/1.1 200 OK');
  });

  it('of one client leave room for another', async () => {
    const { port } = await serveWeb({ limits: { maxConnections: 10, maxConnectionsPerClient: 3 } });
    await Promise.all([1, 2, 3].map(() => dial(port, '127.0.0.2')));
    const fourth = await dial(port, '127.0.0.2');
    expect(statusLine(await untilHangUp(fourth))).toBe('HTTP/1.1 503 Service Unavailable');
    expect(statusLine(await say(port, get('/', 'Connection: close\r\n')))).toBe('HTTP/1.1 200 OK');
  });

  it('are dropped without a word when even the refusals are too many', async () => {
    const { port, server } = await serveWeb({ limits: { maxConnections: 1 } });
    let dropped = 0;
    server.on('drop', () => void dropped++);
    // They do not read yet, so those that are refused stay for a second.
    const sockets = await Promise.all(Array.from({ length: 120 }, () => dial(port)));
    await expect.poll(() => dropped).toBe(120 - 65);
    const answers = await Promise.all(sockets.slice(1).map(untilHangUp));
    expect(new Set(answers.map(statusLine))).toEqual(new Set(['HTTP/1.1 503 Service Unavailable', '']));
    expect(statusLine(await say(port, get('/')))).toBe('HTTP/1.1 503 Service Unavailable');
  });
});

describe('pipelined requests', () => {
  const paths = Array.from({ length: 200 }, (_, nth) => `/${nth}`);
  const pathsIn = (answers: string) => [...answers.matchAll(/"url":"(\/\d+)"/g)].map(([, path]) => path);

  it('are answered in order', async () => {
    const { port } = await serveWeb({ limits: { keepAliveTimeoutMs: 100 } });
    expect(pathsIn(await say(port, paths.map((path) => get(path)).join('')))).toEqual(paths);
  });

  it('are answered in order while a password is checked', async () => {
    const config = join(temporaryDirectory(), 'web.yml');
    writeFileSync(config, JSON.stringify({ basic_auth_users: { sre: hashSync('secret', 6) } }));
    const { port } = await serveWeb({ config, limits: { keepAliveTimeoutMs: 100 } });
    const credentials = `Authorization: ${basic('sre', 'secret').Authorization}\r\n`;
    expect(pathsIn(await say(port, paths.map((path) => get(path, credentials)).join('')))).toEqual(paths);
  });
});

describe('close', () => {
  it('lets an answer under way finish, and does not wait for idle connections', async () => {
    const { port, close } = await serveWeb({
      handler: async (_request, response) => {
        await delay(150);
        response.end('finished');
      },
    });
    const idle = await dial(port);
    const answer = say(port, get('/'));
    await delay(50);
    await close(5000);
    expect(await answer).toContain('finished');
    idle.destroy();
  });

  it('cuts off what takes too long', async () => {
    const { port, close, server } = await serveWeb({ handler: () => undefined });
    const answer = say(port, get('/'));
    await delay(50);
    await close(50);
    expect(await answer).toBe('');
    await expect.poll(() => countConnections(server)).toBe(0);
  });

  it('comes to an end when the server never listened', async () => {
    const { createWebServer } = await import('../../../exporter/web/web-server.ts');
    const nothing = () => undefined;
    const web = createWebServer({
      configFile: undefined,
      handler: nothing,
      onHandshakeRefused: nothing,
      onError: nothing,
      now: () => 0,
    });
    await web.close(20);
  });
});

async function countConnections(server: Awaited<ReturnType<typeof serveWeb>>['server']): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
