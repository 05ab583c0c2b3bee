import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createSilentServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openHttpClient } from '../../../engine/http-client/client.ts';
import { exchange, type HttpRequest } from '../../../engine/http-client/exchange.ts';
import { type HttpClientSettings, PLAIN_HTTP } from '../../../engine/http-client/settings.ts';
import { certificatesFor } from '../../exporter/web/certificates.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler, tls?: { cert: string; key: string }) {
  const requests: IncomingMessage[] = [];
  const listener: Handler = (request, response) => {
    requests.push(request);
    handler(request, response);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, requests };
}

/** Takes connections, and never says a word: TLS does not get beyond its first message. */
async function serveSilence() {
  const sockets: Socket[] = [];
  const server = createSilentServer((socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

function ask(settings: HttpClientSettings) {
  const client = openHttpClient(settings);
  endings.push(() => client.close());
  return (url: string, other: Partial<HttpRequest> = {}) =>
    exchange(client, { method: 'GET', url, signal: AbortSignal.timeout(5000), maxBytes: 1000, ...other });
}

const answerOk: Handler = (_, response) => void response.end('ok');
const redirectTo =
  (status: number, target: string): Handler =>
  (_, response) =>
    void response.writeHead(status, { location: target }).end();

describe('credentials', () => {
  it('are sent as basic authentication', async () => {
    const { url, requests } = await serve(answerOk);
    const credentials = { kind: 'basic', username: { text: 'engine' }, password: { text: 'päss:word' } } as const;
    await ask({ ...PLAIN_HTTP, credentials })(url);
    const [, encoded = ''] = requests[0]?.headers.authorization?.split(' ') ?? [];
    expect(Buffer.from(encoded, 'base64').toString()).toBe('engine:päss:word');
  });

  it('are read anew for every request, without the line break at the end of the file', async () => {
    const { url, requests } = await serve(answerOk);
    const file = join(temporaryDirectory(), 'token');
    const get = ask({ ...PLAIN_HTTP, credentials: { kind: 'token', scheme: 'Bearer', token: { file } } });
    for (const token of ['first', 'second']) {
      writeFileSync(file, `${token}\n`);
      await get(url);
    }
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second']);
  });

  it('that cannot be read are said, and nothing is asked', async () => {
    const { url, requests } = await serve(answerOk);
    const file = join(temporaryDirectory(), 'token');
    const get = ask({ ...PLAIN_HTTP, credentials: { kind: 'token', scheme: 'Bearer', token: { file } } });
    await expect(get(url)).rejects.toThrow(/ENOENT/);
    expect(requests).toEqual([]);
  });
});

describe('redirects', () => {
  const following = { ...PLAIN_HTTP, followsRedirects: true };

  it.each([301, 302, 303, 307, 308])('are followed for a GET: %d', async (status) => {
    const target = await serve(answerOk);
    const { url } = await serve(redirectTo(status, target.url));
    expect(await ask(following)(url)).toMatchObject({ status: 200, text: 'ok' });
  });

  it.each([
    [307, 200],
    [308, 200],
    [301, 301],
    [302, 302],
    [303, 303],
  ])('are followed for a POST only where it stays a POST: %d', async (status, final) => {
    const target = await serve(answerOk);
    const { url } = await serve(redirectTo(status, target.url));
    expect(await ask(following)(url, { method: 'POST', body: '[]' })).toMatchObject({ status: final });
    expect(target.requests.map(({ method }) => method)).toEqual(final === 200 ? ['POST'] : []);
  });

  it('carry credentials to no other server', async () => {
    const target = await serve(answerOk);
    const { url, requests } = await serve(redirectTo(307, target.url));
    await ask({ ...following, credentials: { kind: 'token', scheme: 'Bearer', token: { text: 'secret' } } })(url);
    expect(requests[0]?.headers.authorization).toBe('Bearer secret');
    expect(target.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('are not followed unless the settings say so, and not for ever', async () => {
    const { url } = await serve(redirectTo(302, '/again'));
    expect(await ask(PLAIN_HTTP)(url)).toMatchObject({ status: 302 });
    await expect(ask(following)(url)).rejects.toThrow('it redirects more than 5 times');
  });
});

describe('limits', () => {
  it('refuse an answer that is too long', async () => {
    const { url } = await serve((_, response) => void response.end('x'.repeat(1001)));
    await expect(ask(PLAIN_HTTP)(url)).rejects.toThrow('it answers with more than 1000 bytes');
  });

  it('say that nothing came in time', async () => {
    const { url } = await serve(() => {});
    await expect(ask(PLAIN_HTTP)(url, { signal: AbortSignal.timeout(50) })).rejects.toThrow('did not answer in time');
  });
});

describe('a connection that never begins', () => {
  it('holds up nobody who gives up', async () => {
    const { url, sockets } = await serveSilence();
    const client = openHttpClient(PLAIN_HTTP);
    endings.push(() => client.close(0));
    const stop = new AbortController();
    const asked = exchange(client, { method: 'GET', url, signal: stop.signal, maxBytes: 1000 });
    await vi.waitFor(() => expect(sockets).toHaveLength(1));
    stop.abort();
    await expect(asked).rejects.toThrow('This operation was aborted');
  });

  it('is broken off when the client closes and the deadline has passed', async () => {
    const { url, sockets } = await serveSilence();
    const client = openHttpClient(PLAIN_HTTP);
    const asked = exchange(client, { method: 'GET', url, signal: AbortSignal.timeout(5000), maxBytes: 1000 });
    const refused = expect(asked).rejects.toThrow(/not wanted|destroyed/);
    await vi.waitFor(() => expect(sockets).toHaveLength(1));
    const begun = performance.now();
    await client.close(50);
    await refused;
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

describe('other settings', () => {
  it('count from the next request on, and the running one ends as it began', async (context) => {
    const { pem, client } = certificatesFor(context);
    const answers: ServerResponse[] = [];
    const { url, requests } = await serve((_, response) => void answers.push(response), client('server'));
    const settingsOf = (name: string, token: string): HttpClientSettings => ({
      ...PLAIN_HTTP,
      credentials: { kind: 'token', scheme: 'Bearer', token: { text: token } },
      tls: { skipsVerification: false, ca: { text: pem(name) } },
    });
    const [first, second, third] = [
      settingsOf('ca.pem', 'first'),
      settingsOf('ca.pem', 'second'),
      settingsOf('other-ca.pem', 'third'),
    ];
    const one = openHttpClient(first);
    endings.push(() => one.close());
    const get = () => exchange(one, { method: 'GET', url, signal: AbortSignal.timeout(5000), maxBytes: 1000 });
    const running = get();
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    expect(one.use(second)).toBe(first);
    const next = get();
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    expect(one.use(third)).toBe(second);
    await expect(get()).rejects.toThrow(/unable to verify|self-signed|local issuer/);
    for (const answer of answers) answer.end('ok');
    expect([await running, await next].map(({ text }) => text)).toEqual(['ok', 'ok']);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second']);
  });
});

describe('TLS', () => {
  it('trusts the authority in the settings, and takes a new one from its file without a reload', async (context) => {
    const { pem, client } = certificatesFor(context);
    const { url } = await serve(
      (_, response) => void response.setHeader('connection', 'close').end('ok'),
      client('server'),
    );
    const ca = join(temporaryDirectory(), 'ca.pem');
    const get = ask({ ...PLAIN_HTTP, tls: { skipsVerification: false, ca: { file: ca } } });
    writeFileSync(ca, pem('other-ca.pem'));
    await expect(get(url)).rejects.toThrow(/unable to verify|self-signed|unable to get local issuer/);
    writeFileSync(ca, pem('ca.pem'));
    expect(await get(url)).toMatchObject({ status: 200 });
    rmSync(ca);
    await expect(get(url)).rejects.toThrow(/ca\.pem/);
  });

  it('fails a request while the certificate is half written, and takes it when it is whole', async (context) => {
    const { pem, client } = certificatesFor(context);
    const { url } = await serve(answerOk, client('server'));
    const folder = temporaryDirectory();
    const [cert, key] = [join(folder, 'client.pem'), join(folder, 'client.key')];
    const get = ask({
      ...PLAIN_HTTP,
      tls: { skipsVerification: false, ca: { text: pem('ca.pem') }, cert: { file: cert }, key: { file: key } },
    });
    const rotate = (certificate: string, privateKey: string) => {
      writeFileSync(cert, certificate);
      writeFileSync(key, privateKey);
    };
    const refusal = (reason: string) => `the certificate or key for TLS cannot be used: ${reason} (${cert}, ${key})`;
    rotate(pem('client.pem').slice(0, 300), pem('client.key'));
    await expect(get(url)).rejects.toThrow(refusal('bad end line'));
    rotate(pem('client.pem'), pem('renewed.key'));
    await expect(get(url)).rejects.toThrow(refusal('key values mismatch'));
    rotate(pem('client.pem'), pem('client.key'));
    expect(await get(url)).toMatchObject({ status: 200 });
  });

  it('takes the authority as text, and anyone when verification is off', async (context) => {
    const { pem, client } = certificatesFor(context);
    const { url } = await serve(answerOk, client('server'));
    await expect(ask(PLAIN_HTTP)(url)).rejects.toThrow(/unable to verify|self-signed|local issuer/);
    const trusting = { ...PLAIN_HTTP, tls: { skipsVerification: false, ca: { text: pem('ca.pem') } } };
    expect(await ask(trusting)(url)).toMatchObject({ status: 200 });
    expect(await ask({ ...PLAIN_HTTP, tls: { skipsVerification: true } })(url)).toMatchObject({ status: 200 });
  });

  it('says that the certificate of the client is none', async (context) => {
    const { pem, client } = certificatesFor(context);
    const { url } = await serve(answerOk, client('server'));
    const own = { cert: { text: 'no certificate' }, key: { text: 'no key' } };
    const get = ask({ ...PLAIN_HTTP, tls: { skipsVerification: false, ca: { text: pem('ca.pem') }, ...own } });
    await expect(get(url)).rejects.toThrow(/PEM|no start line/);
  });

  it('does not go below the least version', async (context) => {
    const { client } = certificatesFor(context);
    const { url } = await serve(answerOk, { ...client('server'), ...{ maxVersion: 'TLSv1.2' } });
    const settings = { ...PLAIN_HTTP, tls: { skipsVerification: true, minVersion: 'TLSv1.3' } } as const;
    await expect(ask(settings)(url)).rejects.toThrow(/protocol version|unsupported protocol|alert/);
    expect(await ask({ ...settings, tls: { skipsVerification: true, minVersion: 'TLSv1.2' } })(url)).toMatchObject({
      status: 200,
    });
  });
});
