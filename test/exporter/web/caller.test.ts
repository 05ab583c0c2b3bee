import { networkInterfaces } from 'node:os';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { type Caller, isLocal, mayWrite, vouchFor, writeGuard } from '../../../exporter/web/caller.ts';
import { askHttp } from './https-client.ts';
import { serveWeb } from './web-server-under-test.ts';

const from = (remoteAddress: string | undefined, headers: Caller['headers'] = {}): Caller => ({
  headers,
  socket: { remoteAddress },
});

describe('isLocal', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['10.0.0.1', false],
    ['::ffff:10.0.0.1', false],
    ['fe80::1', false],
    ['fe80::1%eth0', false],
    ['128.0.0.1', false],
    ['0.0.0.0', false],
    ['::', false],
    ['', false],
    [undefined, false],
    ['localhost', false],
  ])('%s: %s', (address, expected) => {
    expect(isLocal(from(address))).toBe(expected);
  });

  it.each(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'])(
    'is not what a proxy passes on with %s',
    (name) => {
      expect(isLocal(from('127.0.0.1', { [name]: '' }))).toBe(false);
    },
  );
});

describe('mayWrite', () => {
  const host = 'localhost:9400';
  const cases: readonly { what: string; headers: Caller['headers']; local: boolean; vouched: boolean }[] = [
    { what: 'curl', headers: { host }, local: true, vouched: true },
    { what: 'curl by address', headers: { host: '127.0.0.1:9400' }, local: true, vouched: true },
    { what: 'curl by another loopback address', headers: { host: '127.3.2.1' }, local: true, vouched: true },
    { what: 'curl by IPv6 address', headers: { host: '[::1]:9400' }, local: true, vouched: true },
    { what: 'curl in capitals', headers: { host: 'LocalHost:9400' }, local: true, vouched: true },
    { what: 'no host', headers: {}, local: false, vouched: true },
    { what: 'an empty host', headers: { host: '' }, local: false, vouched: true },
    { what: 'a host that is none', headers: { host: 'a b' }, local: false, vouched: true },
    { what: 'a name that was made to point here', headers: { host: 'evil.example:9400' }, local: false, vouched: true },
    { what: 'a name that begins like it', headers: { host: 'localhost.evil.example' }, local: false, vouched: true },
    { what: 'a host with another inside', headers: { host: 'localhost@evil.example' }, local: false, vouched: true },
    {
      what: 'its own page',
      headers: { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' },
      local: true,
      vouched: true,
    },
    { what: 'its own page over TLS', headers: { host, origin: `https://${host}` }, local: true, vouched: true },
    { what: 'a person in a browser', headers: { host, 'sec-fetch-site': 'none' }, local: true, vouched: true },
    {
      what: 'the page of another site',
      headers: { host, origin: 'https://evil.example' },
      local: false,
      vouched: false,
    },
    {
      what: 'the page of another site, to the browser',
      headers: { host, 'sec-fetch-site': 'cross-site' },
      local: false,
      vouched: false,
    },
    {
      what: 'another page on this machine',
      headers: { host, origin: 'http://localhost:3000' },
      local: false,
      vouched: false,
    },
    {
      what: 'another page, to the browser',
      headers: { host, 'sec-fetch-site': 'same-site' },
      local: false,
      vouched: false,
    },
    { what: 'a page in a sandbox', headers: { host, origin: 'null' }, local: false, vouched: false },
    { what: 'an origin that is none', headers: { host, origin: 'x' }, local: false, vouched: false },
    { what: 'a browser extension', headers: { host, origin: 'chrome-extension://abc' }, local: false, vouched: false },
    { what: 'a proxy', headers: { host, 'x-forwarded-for': '127.0.0.1' }, local: false, vouched: true },
  ];

  it.each(cases)('from the loopback address, $what: $local', ({ headers, local }) => {
    expect(mayWrite(from('127.0.0.1', headers))).toBe(local);
  });

  it.each(cases)('with credentials, $what: $vouched', ({ headers, vouched }) => {
    const caller = from('192.0.2.1', headers);
    expect(mayWrite(caller)).toBe(false);
    vouchFor(caller);
    expect(mayWrite(caller)).toBe(vouched);
  });
});

describe('writeGuard', () => {
  const refusals = [
    {
      headers: { 'X-Forwarded-For': '192.0.2.1' },
      title: 'Only from this machine',
      detail:
        'Without credentials this can be asked from the loopback address only, and not through a proxy. To allow it from elsewhere, ' +
        'set basic_auth_users or client_ca_file in the web configuration file, and send a password or a client certificate.',
    },
    {
      headers: { Origin: 'https://evil.example' },
      title: 'Not for other web pages',
      detail: 'A browser asks this for a page that is not of this exporter. Use curl, or the gpu-uptime command.',
    },
    {
      headers: { Host: 'evil.example' },
      title: 'Only by the name localhost',
      detail: 'The Host of the request is not this machine. Ask for localhost, 127.0.0.1 or [::1] instead.',
    },
  ];

  it.each(refusals)('answers 403 in words: $title', async ({ headers, title, detail }) => {
    const { port } = await serveWeb({ handler: writeGuard((_request, response) => response.end('done')) });
    const refused = await askHttp({ port, method: 'POST', headers });
    expect(refused.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(refused.body)).toEqual({ type: 'about:blank', status: 403, title, detail });
    expect((await askHttp({ port, method: 'POST' })).body).toBe('done');
  });

  it('guards a route of express, and passes on what express gives', async () => {
    const app = express();
    app.post(
      '/:what',
      writeGuard((request: express.Request, _response: express.Response, next: express.NextFunction) => {
        request.headers['x-what'] = request.params.what as string;
        next();
      }),
    );
    app.use((request, response) => void response.send(`next: ${request.headers['x-what']}`));
    const { port } = await serveWeb({ handler: app });
    expect((await askHttp({ port, path: '/fault', method: 'POST' })).body).toBe('next: fault');
    expect((await askHttp({ port, path: '/fault', method: 'POST', headers: { Via: 'x' } })).status).toBe(403);
  });

  it('refuses other machines', async ({ skip }) => {
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const host = own.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    if (host === undefined) return skip('this machine has no address but loopback');
    const { port } = await serveWeb({
      address: '0.0.0.0',
      handler: writeGuard((_request, response) => response.end('done')),
    });
    const { status, body } = await askHttp({ port, host, method: 'POST', headers: { Host: 'localhost' } });
    expect([status, JSON.parse(body).title]).toEqual([403, 'Only from this machine']);
  });
});
