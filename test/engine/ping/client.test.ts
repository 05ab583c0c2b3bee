import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import type { HttpClientSettings } from '../../../engine/http-client/settings.ts';
import { PLAIN_HTTP } from '../../../engine/http-client/settings.ts';
import { certificatesFor } from '../../exporter/web/certificates.ts';
import { answerBody } from './answer-body.ts';
import { answerWell, ask, atEnd, NOW, serveAgent } from './asking.ts';

const path = '/agent/uptime-since-last-ping';

describe('pingAgent', () => {
  it('asks from the cursor and brings the answer back', async () => {
    const agent = await serveAgent();
    expect(await ask(agent.url)).toEqual({
      kind: 'answered',
      roundTripMs: expect.any(Number),
      clockSkewMs: expect.any(Number),
      answer: {
        bootId: 'boot-1',
        seq: 280,
        isGpuAvailable: true,
        reason: undefined,
        claimed: { uptime: 1, coverage: 1 },
        continuity: 'complete',
      },
    });
    expect(agent.requests).toEqual([`GET ${path}?since=100&boot_id=boot-1`]);
  });

  it('asks a new agent without a cursor, below the path of its URL', async () => {
    const body = { ...answerBody(), since: 0, first_ping: true };
    const agent = await serveAgent((_, response) => void response.end(JSON.stringify(body)));
    const reply = await ask(`${agent.url}/gpu/7/`, { cursor: undefined, spanFromMs: undefined });
    expect(reply).toMatchObject({ answer: { claimed: { uptime: undefined, coverage: 0 } } });
    expect(agent.requests).toEqual([`GET /gpu/7${path}`]);
  });

  it('writes a boot id so that it stays one parameter', async () => {
    const agent = await serveAgent();
    await ask(agent.url, { cursor: { bootId: 'a&since=0#/?é', seq: 7 } });
    expect(agent.requests).toEqual([`GET ${path}?since=7&boot_id=a%26since%3D0%23%2F%3F%C3%A9`]);
  });

  it('measures how far the clock of the agent is ahead', async () => {
    const at = (timestamp: string | undefined, date?: string) =>
      serveAgent((_, response) => {
        response.sendDate = false;
        if (date !== undefined) response.setHeader('date', date);
        response.end(JSON.stringify({ ...answerBody(), timestamp }));
      });
    const skewOf = async ({ url }: { url: string }) => {
      const reply = await ask(url);
      return reply?.kind === 'answered' ? reply.clockSkewMs : 'no answer';
    };
    const ahead = await skewOf(await at(new Date(NOW + 90_000).toISOString()));
    expect(Math.abs(Number(ahead) - 90_000)).toBeLessThan(200);
    const behind = await skewOf(await at(undefined, new Date(NOW - 3_600_000).toUTCString()));
    expect(Math.abs(Number(behind) + 3_600_000)).toBeLessThan(1200);
    expect(await skewOf(await at(undefined))).toBeUndefined();
  });

  it('does not blame the agent for a clock of the engine that was set back', async () => {
    const agent = await serveAgent();
    expect(await ask(agent.url, { spanFromMs: NOW + 60_000 })).toMatchObject({ kind: 'answered' });
    expect(await ask(agent.url, { spanFromMs: NOW - 60_000 })).toMatchObject({ kind: 'invalid' });
  });

  it.each([
    [429, { 'retry-after': '120' }, { kind: 'refused', reason: 'it answers 429: "no"', retryAfterMs: 120_000 }],
    [
      503,
      { 'retry-after': 'Fri, 02 Jan 2026 03:05:05 GMT' },
      { kind: 'refused', reason: 'it answers 503: "no"', retryAfterMs: 59_322 },
    ],
    [403, {}, { kind: 'refused', reason: 'it answers 403: "no"', retryAfterMs: undefined }],
    [
      404,
      {},
      {
        kind: 'refused',
        reason: 'it answers 404: nothing answers pings there (AGENT_MODE=true?)',
        retryAfterMs: undefined,
      },
    ],
    [500, {}, { kind: 'invalid', reason: 'it answers 500: "no"' }],
    [204, {}, { kind: 'invalid', reason: 'it answers 204: ""' }],
    [502, {}, { kind: 'unreachable', reason: 'a proxy before it answers 502' }],
    [504, {}, { kind: 'unreachable', reason: 'a proxy before it answers 504' }],
  ])('knows what to make of %d with %j', async (status, headers, reply) => {
    const agent = await serveAgent((_, response) => void response.writeHead(status, headers).end('no'));
    expect(await ask(agent.url)).toEqual(reply);
  });

  it('says nothing of the agent when the engine itself stops', async () => {
    const stop = new AbortController();
    const agent = await serveAgent(() => stop.abort());
    expect(await ask(agent.url, { signal: stop.signal })).toBeUndefined();
    expect(await ask(agent.url, { signal: stop.signal })).toBeUndefined();
    expect(agent.requests).toHaveLength(1);
  });
});

describe('addresses', () => {
  it("that are forbidden are not connected to, spelled out or behind a name, which is its owner's choice", async () => {
    const agent = await serveAgent();
    const policy = { allowNetworks: ['127.0.0.2'] };
    for (const host of ['127.0.0.1', '2130706433', '0177.1', '[::ffff:127.0.0.1]', '127。0。0。1']) {
      const reply = await ask(`http://${host}:${agent.port}`, { policy });
      expect(reply).toMatchObject({ kind: 'forbidden', reason: expect.stringContaining('no network of') });
    }
    const lookUp = async () => ['127.0.0.1'];
    expect(await ask(`http://agent.example.org:${agent.port}`, { policy, lookUp })).toEqual({
      kind: 'unreachable',
      reason:
        'agent.example.org leads where the engine may not ask: 127.0.0.1 lies in no network of ping.allow_networks',
    });
    expect(agent.requests).toEqual([]);
  });

  const leads = 'example.org leads where the engine may not ask: ';

  it.each([
    [['127.0.0.1', '169.254.169.254']],
    [['169.254.169.254', '127.0.0.1']],
    [['127.0.0.1', '127.0.0.1', 'fe80::1%lo']],
    [['127.0.0.1', '::ffff:10.0.0.1']],
    [['127.0.0.1', '']],
  ])('are refused together when one of %j is forbidden', async (addresses) => {
    const agent = await serveAgent();
    const reply = await ask(`http://agent.example.org:${agent.port}`, { lookUp: async () => addresses });
    expect(reply).toMatchObject({ kind: 'unreachable', reason: expect.stringContaining(leads) });
    expect(agent.requests).toEqual([]);
  });

  it('are the ones that were judged, though the name leads elsewhere a moment later', async () => {
    const good = await serveAgent();
    const secret = await serveAgent(answerWell, '127.0.0.2', good.port);
    const asked: string[] = [];
    // Every question after the first gets the forbidden address.
    const lookUp = async (name: string) => (asked.push(name) === 1 ? ['127.0.0.1'] : ['127.0.0.2']);
    const url = `http://rebind.example.org:${good.port}`;
    expect(await ask(url, { lookUp })).toMatchObject({ kind: 'answered' });
    expect(asked).toEqual(['rebind.example.org']);
    expect(await ask(url, { lookUp })).toMatchObject({ kind: 'unreachable', reason: expect.stringContaining(leads) });
    expect([good.requests.length, secret.requests]).toEqual([1, []]);
  });

  it('change when the name does, if the new one is allowed', async () => {
    const first = await serveAgent();
    const second = await serveAgent(answerWell, '127.0.0.2', first.port);
    const policy = { allowNetworks: ['127.0.0.0/30'] };
    const url = `http://moved.example.org:${first.port}`;
    for (const address of ['127.0.0.1', '127.0.0.2']) await ask(url, { policy, lookUp: async () => [address] });
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });

  it('are tried one after the other when the first does not answer', async () => {
    const agent = await serveAgent();
    const policy = { allowNetworks: ['127.0.0.0/30', '::1'] };
    const lookUp = async () => ['::1', '127.0.0.2', '127.0.0.1'];
    const reply = await ask(`http://agent.example.org:${agent.port}`, { policy, lookUp });
    expect(reply).toMatchObject({ kind: 'answered' });
  });

  it('are judged again at every ping, because the policy may have changed', async () => {
    const agent = await serveAgent();
    const denied = { denyNetworks: ['127.0.0.0/8'] };
    expect(await ask(agent.url, { policy: denied })).toMatchObject({ kind: 'forbidden' });
    expect(await ask(agent.url, { policy: { allowSchemes: ['https'] } })).toMatchObject({ kind: 'forbidden' });
    expect(await ask(agent.url, { policy: { allowPorts: [80] } })).toMatchObject({ kind: 'forbidden' });
    expect(agent.requests).toEqual([]);
  });
});

describe('redirects and proxies', () => {
  it.each([301, 302, 303, 307, 308])('are not followed: %d', async (status) => {
    const secret = await serveAgent(answerWell, '127.0.0.2');
    const agent = await serveAgent((_, response) => void response.writeHead(status, { location: secret.url }).end());
    expect(await ask(agent.url)).toEqual({
      kind: 'invalid',
      reason: `it redirects (${status}) to "${secret.url}"; register the URL that answers itself`,
    });
    expect(secret.requests).toEqual([]);
  });

  it('of the environment are not used', async () => {
    const proxy = await serveAgent(answerWell, '127.0.0.2');
    const agent = await serveAgent();
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY']) vi.stubEnv(name, proxy.url);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    atEnd(async () => vi.unstubAllEnvs());
    expect(await ask(agent.url)).toMatchObject({ kind: 'answered' });
    expect([agent.requests.length, proxy.requests]).toEqual([1, []]);
  });
});

describe('access', () => {
  const serveTls = async (options: object) => {
    const server = createServer(options, answerWell);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
  };
  const lookUp = async () => ['127.0.0.1'];
  const trusting = (ca: string, more: object = {}): HttpClientSettings => ({
    ...PLAIN_HTTP,
    tls: { skipsVerification: false, ca: { text: ca }, ...more },
  });

  it('is by a token, if the agent has one', async () => {
    const seen: unknown[] = [];
    const agent = await serveAgent((request, response) => {
      seen.push(request.headers.authorization);
      answerWell(request, response);
    });
    const credentials = { kind: 'token', scheme: 'Bearer', token: { text: 'secret' } } as const;
    await ask(agent.url, { access: { ...PLAIN_HTTP, credentials } });
    await ask(agent.url);
    expect(seen).toEqual(['Bearer secret', undefined]);
  });

  it('expects the name of the URL in the certificate, not the address it leads to', async (context) => {
    const { pem, client } = certificatesFor(context);
    const names: unknown[] = [];
    const SNICallback = (name: string, done: (error: null) => void) => {
      names.push(name);
      done(null);
    };
    const port = await serveTls({ ...client('nameless'), SNICallback });
    const access = trusting(pem('ca.pem'));
    const right = await ask(`https://somebody.example.org.:${port}`, { lookUp, access });
    expect(right).toMatchObject({ kind: 'answered' });
    const wrong = await ask(`https://agent.example.org:${port}`, { lookUp, access });
    expect(wrong).toMatchObject({ kind: 'unreachable', reason: expect.stringContaining("certificate's altnames") });
    expect(names).toEqual(['somebody.example.org', 'agent.example.org']);
    const stranger = await ask(`https://somebody.example.org:${port}`, { lookUp });
    expect(stranger).toMatchObject({ kind: 'unreachable', reason: expect.stringMatching(/verify|issuer/) });
  });

  it('is by a client certificate, if the agent has one', async (context) => {
    const { pem, client, directory } = certificatesFor(context);
    const port = await serveTls({ ...client('server'), ca: pem('ca.pem'), requestCert: true });
    const own = { cert: { file: `${directory}/client.pem` }, key: { file: `${directory}/client.key` } };
    const url = `https://127.0.0.1:${port}`;
    expect(await ask(url, { access: trusting(pem('ca.pem'), own) })).toMatchObject({ kind: 'answered' });
    expect(await ask(url, { access: trusting(pem('ca.pem')) })).toMatchObject({ kind: 'unreachable' });
  });

  it('that the engine itself cannot use is not held against the agent', async (context) => {
    const { pem, client } = certificatesFor(context);
    const port = await serveTls(client('server'));
    const credentials = { kind: 'token', scheme: 'Bearer', token: { file: '/nonexistent/token' } } as const;
    const token = (text: string) => ({ kind: 'token', scheme: 'Bearer', token: { text } }) as const;
    const unusable = [
      { ...trusting(pem('ca.pem')), credentials },
      { ...trusting(pem('ca.pem')), credentials: token(' \n') },
      { ...trusting(pem('ca.pem')), credentials: token('one\ntwo') },
      { ...trusting(pem('ca.pem')), credentials: token('\u201Cquoted\u201D') },
      trusting(pem('ca.pem'), { cert: { file: '/nonexistent/cert' }, key: { text: 'key' } }),
      trusting(pem('ca.pem'), { cert: { text: 'no certificate' }, key: { text: 'no key' } }),
    ];
    for (const access of unusable) {
      const reply = await ask(`https://127.0.0.1:${port}`, { access });
      const reason = expect.stringMatching(/^the engine cannot use its credentials: ./);
      expect(reply).toEqual({ kind: 'forbidden', reason });
      expect(JSON.stringify(reply)).not.toMatch(/two|quoted/);
    }
  });
});
