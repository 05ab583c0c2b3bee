import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, it, type TestContext } from 'vitest';
import { type Certificates, certificatesFor, placeConfig } from './certificates.ts';
import { askHttp, askHttps } from './https-client.ts';
import { requireProgram } from './program.ts';
import { type Served, type ServeOptions, serveWeb } from './web-server-under-test.ts';

const pair = { cert_file: 'server.pem', key_file: 'server.key' };

interface Secure extends Served {
  readonly certificates: Certificates;
  readonly ca: string;
}

/** A TLS server with these keys in tls_server_config. */
async function serveTls(
  context: TestContext,
  tls: Readonly<Record<string, unknown>>,
  options: ServeOptions = {},
): Promise<Secure> {
  const certificates = certificatesFor(context);
  // JSON is YAML.
  const config = placeConfig(certificates, 'web.yml', JSON.stringify({ tls_server_config: { ...pair, ...tls } }));
  return { ...(await serveWeb({ config, ...options })), certificates, ca: certificates.pem('ca.pem') };
}

const clients = ['none', 'client', 'nameless', 'stranger', 'expired'] as const;
type Client = (typeof clients)[number];

async function isLetIn(
  { port, ca, certificates }: Secure,
  client: Client,
  options: ConnectionOptions = {},
): Promise<boolean> {
  const own = client === 'none' ? {} : certificates.client(client);
  return askHttps({ port, ca, ...own, ...options }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

async function letIn(server: Secure): Promise<readonly Client[]> {
  const outcomes = await Promise.all(clients.map(async (client) => ((await isLetIn(server, client)) ? [client] : [])));
  return outcomes.flat();
}

describe('client_auth_type', () => {
  const anybody = [...clients];
  const somebody = clients.filter((client) => client !== 'none');
  const byAuthority = ['client', 'nameless'];
  it.for([
    { type: undefined, ca: false, expected: anybody },
    { type: 'NoClientCert', ca: false, expected: anybody },
    { type: 'RequestClientCert', ca: false, expected: anybody },
    { type: 'RequestClientCert', ca: true, expected: anybody },
    { type: 'RequireAnyClientCert', ca: false, expected: somebody },
    { type: 'RequireAnyClientCert', ca: true, expected: somebody },
    { type: 'RequireClientCert', ca: false, expected: somebody },
    { type: 'VerifyClientCertIfGiven', ca: true, expected: ['none', ...byAuthority] },
    { type: 'VerifyClientCertIfGiven', ca: false, expected: ['none'] },
    { type: 'RequireAndVerifyClientCert', ca: true, expected: byAuthority },
    { type: 'RequireAndVerifyClientCert', ca: false, expected: [] },
  ])('$type, authority: $ca, lets in $expected', async ({ type, ca, expected }, context) => {
    const server = await serveTls(context, { client_auth_type: type, ...(ca && { client_ca_file: 'ca.pem' }) });
    expect(await letIn(server)).toEqual(expected);
    expect(server.refusedHandshakes).toHaveLength(clients.length - expected.length);
  });

  it('says why to the operator', async (context) => {
    const server = await serveTls(context, { client_auth_type: 'RequireAnyClientCert' });
    await isLetIn(server, 'none');
    expect(server.refusedHandshakes).toEqual(['it sent no certificate']);
  });
});

describe('client_allowed_sans', () => {
  it.for([
    { names: ['prometheus.example.org'], type: 'RequireAndVerifyClientCert', expected: ['client'] },
    { names: ['spiffe://example.org/prometheus'], type: 'RequireAndVerifyClientCert', expected: ['client'] },
    { names: ['sre@example.org'], type: 'RequireAndVerifyClientCert', expected: ['client'] },
    { names: ['10.1.2.3'], type: 'RequireAndVerifyClientCert', expected: ['client'] },
    { names: ['fd00::7'], type: 'RequireAndVerifyClientCert', expected: ['client'] },
    { names: ['other', 'somebody.example.org'], type: 'RequireAndVerifyClientCert', expected: ['nameless'] },
    { names: ['example.org'], type: 'RequireAndVerifyClientCert', expected: [] },
    { names: ['client'], type: 'RequireAndVerifyClientCert', expected: [] },
    { names: [], type: 'RequireAndVerifyClientCert', expected: [] },
    { names: ['prometheus.example.org'], type: 'VerifyClientCertIfGiven', expected: ['client'] },
    { names: ['prometheus.example.org'], type: 'RequestClientCert', expected: ['client', 'stranger', 'expired'] },
  ])('$names with $type lets in $expected', async ({ names, type, expected }, context) => {
    const tls = { client_auth_type: type, client_ca_file: 'ca.pem', client_allowed_sans: names };
    expect(await letIn(await serveTls(context, tls))).toEqual(expected);
  });
});

describe('a client certificate', () => {
  it.for([
    { client: 'client', ca: true, mayWrite: true },
    { client: 'none', ca: true, mayWrite: false },
    { client: 'stranger', ca: true, mayWrite: false },
    { client: 'client', ca: false, mayWrite: false },
  ] as const)('$client, authority: $ca, may write: $mayWrite', async ({ client, ca, mayWrite }, context) => {
    const tls = { client_auth_type: 'RequestClientCert', ...(ca && { client_ca_file: 'ca.pem' }) };
    const { port, certificates, ca: authority } = await serveTls(context, tls);
    const own = client === 'none' ? {} : certificates.client(client);
    // As a proxy on the same machine would pass it on, so that the loopback address alone does not count.
    const headers = { 'X-Forwarded-For': '192.0.2.1' };
    const { body } = await askHttps({ port, ca: authority, headers, ...own });
    expect(JSON.parse(body)).toEqual({ url: '/', isLocal: false, mayWrite });
  });

  it('counts in a resumed session too, which no other server resumes', async (context) => {
    const tls = { client_auth_type: 'RequireAndVerifyClientCert', client_ca_file: 'ca.pem' };
    const server = await serveTls(context, tls);
    const first = connectTo(server, server.certificates.client('client'));
    const [[session]] = await Promise.all([once(first, 'session'), askOn(first)]);
    const resumed = connectTo(server, { session });
    await once(resumed, 'secureConnect');
    expect(resumed.isSessionReused()).toBe(true);
    expect(await askOn(resumed)).toMatch(/"isLocal":false,"mayWrite":true/);
    const elsewhere = connectTo(await serveTls(context, tls), { session });
    await expect(askOn(elsewhere)).rejects.toThrow(/certificate required/);
  });
});

function connectTo({ port, ca }: Secure, options: ConnectionOptions): TLSSocket {
  return connect({ port, host: '127.0.0.1', ca, ...options });
}

// As if a proxy on this machine passed it on, so that the loopback address alone does not count.
async function askOn(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nVia: 1.1 proxy\r\nConnection: close\r\n\r\n');
  return text(socket);
}

const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

describe('min_version and max_version', () => {
  it.for([
    { tls: {}, expected: ['TLSv1.2', 'TLSv1.3'] },
    { tls: { min_version: 'TLS13' }, expected: ['TLSv1.3'] },
    { tls: { max_version: 'TLS12' }, expected: ['TLSv1.2'] },
    { tls: { min_version: 'TLS10' }, expected: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] },
    { tls: { min_version: 'TLS11', max_version: 'TLS11' }, expected: ['TLSv1.1'] },
    { tls: { cipher_suites: ['TLS_AES_128_GCM_SHA256'] }, expected: ['TLSv1.3'] },
  ])('$tls speaks $expected', async ({ tls, expected }, context) => {
    const { port, ca } = await serveTls(context, tls);
    const spoken = versions.map(async (version) => {
      const ciphers = 'ALL:@SECLEVEL=0';
      const answer = askHttps({ port, ca, minVersion: version, maxVersion: version, ciphers });
      return answer.then(({ protocol }) => [protocol]).catch(() => []);
    });
    expect((await Promise.all(spoken)).flat()).toEqual(expected);
  });
});

describe('cipher_suites', () => {
  const both = ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'];
  const clientsOrder = 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384';
  const rsa = { cert_file: 'rsa.pem', key_file: 'rsa.key', max_version: 'TLS12' };

  it.for([
    { prefer: undefined, expected: 'ECDHE-RSA-AES256-GCM-SHA384' },
    { prefer: true, expected: 'ECDHE-RSA-AES256-GCM-SHA384' },
    { prefer: false, expected: 'ECDHE-RSA-AES128-GCM-SHA256' },
  ])('prefer_server_cipher_suites $prefer agrees on $expected', async ({ prefer, expected }, context) => {
    const { port, certificates } = await serveTls(context, {
      ...rsa,
      cipher_suites: both,
      prefer_server_cipher_suites: prefer,
    });
    const { cipher } = await askHttps({ port, ca: certificates.pem('rsa.pem'), ciphers: clientsOrder });
    expect(cipher).toBe(expected);
  });

  it('refuses a client with none of them', async (context) => {
    const { port, certificates } = await serveTls(context, { ...rsa, cipher_suites: both });
    const ca = certificates.pem('rsa.pem');
    await expect(askHttps({ port, ca, ciphers: 'ECDHE-RSA-AES256-SHA' })).rejects.toThrow(/handshake failure/);
  });

  it('are those with forward secrecy when the file names none', async (context) => {
    const { port, certificates } = await serveTls(context, rsa);
    const ca = certificates.pem('rsa.pem');
    await expect(askHttps({ port, ca, ciphers: 'AES128-GCM-SHA256:AES256-SHA' })).rejects.toThrow(/handshake failure/);
    expect((await askHttps({ port, ca })).cipher).toBe('ECDHE-RSA-AES128-GCM-SHA256');
  });
});

describe('curve_preferences', () => {
  it('take a client that has one of them, and no other', async (context) => {
    const { port, ca } = await serveTls(context, { curve_preferences: ['CurveP521'] });
    expect(await askHttps({ port, ca, ecdhCurve: 'P-521' })).toMatchObject({ status: 200 });
    await expect(askHttps({ port, ca, ecdhCurve: 'P-384' })).rejects.toThrow(/handshake failure/);
  });
});

describe('a TLS server', () => {
  it('takes certificate, key and authority from the file itself', async (context) => {
    const certificates = certificatesFor(context);
    const inline =
      '{cert: PEM(server.pem), key: PEM(server.key), client_ca: PEM(ca.pem), client_auth_type: RequireAndVerifyClientCert}';
    const config = placeConfig(certificates, 'inline.yml', `tls_server_config: ${inline}`);
    const server = { ...(await serveWeb({ config })), certificates, ca: certificates.pem('ca.pem') };
    expect(await letIn(server)).toEqual(['client', 'nameless']);
  });

  it('tells a client that speaks plain HTTP what to do', async (context) => {
    const { port } = await serveTls(context, {});
    const { status, body } = await askHttp({ port });
    expect([status, body]).toEqual([400, 'Ask with https:// here.\n']);
  });

  it('agrees on HTTP/1.1 with a client that also speaks HTTP/2', async (context) => {
    const { port, ca } = await serveTls(context, {});
    const socket = connect({ port, host: '127.0.0.1', ca, ALPNProtocols: ['h2', 'http/1.1'] });
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('http/1.1');
    expect(await askOn(socket)).toContain('HTTP/1.1 200 OK');
  });

  it.for([
    { what: 'nothing', bytes: '' },
    { what: 'half a handshake', bytes: '\x16\x03\x01' },
  ])('hangs up on a client that sends $what', async ({ bytes }, context) => {
    const { port, server } = await serveTls(context, {}, { limits: { handshakeTimeoutMs: 100 } });
    const socket = connectTcp(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.resume();
    await once(socket, 'close', { signal: AbortSignal.timeout(5000) });
    await expect.poll(() => countConnections(server)).toBe(0);
  });

  it('survives clients that send garbage and hang up', async (context) => {
    const secure = await serveTls(context, {});
    for (const bytes of [
      '\x16\x03\x01\x00\x05hello',
      '\x16'.repeat(1000),
      '\x80\x2e\x01\x03\x01',
      'GET / HTTP/1.1\r\n\r\n',
    ]) {
      const socket = connectTcp(secure.port, '127.0.0.1', () => socket.end(bytes, 'latin1'));
      socket.on('error', () => undefined).resume();
      await once(socket, 'close', { signal: AbortSignal.timeout(5000) });
    }
    expect(await isLetIn(secure, 'none')).toBe(true);
    expect(secure.errors).toEqual([]);
  });

  it('answers curl with a client certificate, and not without', async (context) => {
    const curl = requireProgram(context, 'curl');
    const tls = { client_auth_type: 'RequireAndVerifyClientCert', client_ca_file: 'ca.pem' };
    const { port, certificates } = await serveTls(context, tls);
    const file = (name: string) => join(certificates.directory, name);
    const common = [
      '--silent',
      '--show-error',
      '--max-time',
      '10',
      '--cacert',
      file('ca.pem'),
      `https://localhost:${port}/x`,
    ];
    const own = ['--cert', file('client.pem'), '--key', file('client.key')];
    const { stdout } = await promisify(execFile)(curl, [...common, ...own]);
    expect(JSON.parse(stdout)).toMatchObject({ url: '/x' });
    // The server runs in this process, so curl must not block it.
    await expect(promisify(execFile)(curl, common)).rejects.toThrow(/certificate required/);
  });
});

async function countConnections(server: Secure['server']): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
