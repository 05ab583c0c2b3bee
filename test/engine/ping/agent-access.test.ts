import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAgentAccess } from '../../../engine/ping/agent-access.ts';
import { certificatesFor } from '../../exporter/web/certificates.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { answerWell, ask, atEnd, serveAgent } from './asking.ts';

async function read(text: string, folder = temporaryDirectory()) {
  const file = join(folder, 'agents.yml');
  writeFileSync(file, text);
  const outcome = await readAgentAccess(file);
  return { outcome, ok: outcome.ok, text: outcome.text.replaceAll(`${folder}/`, '') };
}

async function accessOf(text: string) {
  const { outcome } = await read(text);
  if (!outcome.ok) throw new Error(outcome.text);
  return outcome.value.accessFor;
}

const token = (text: string) => ({ kind: 'token', scheme: 'Bearer', token: { text } });

describe('access', () => {
  const FILE = `
- url: https://gpu-7.example.org:8443
  bearer_token: seven
- url: https://*.example.org:8443/
  bearer_token: any
- url: HTTPS://Agents.Example.ORG.
  bearer_token: usual port
- url: http://10.1.2.3:8001
  bearer_token: address
- url: https://[fd00::7]:8443
  bearer_token: six
- url: https://bücher.example.org
  bearer_token: letters
- url: https://public.example.org:8443
`;

  it.each([
    ['https://gpu-7.example.org:8443', 'seven'],
    ['https://gpu-7.example.org:8443/below/a/path', 'seven'],
    ['https://GPU-7.example.org.:8443', 'seven'],
    ['https://gpu-8.example.org:8443', 'any'],
    ['https://agents.example.org', 'usual port'],
    ['https://agents.example.org:443/x', 'usual port'],
    ['https://agents.example.org:8443', 'any'],
    ['http://10.1.2.3:8001', 'address'],
    ['http://167838211:8001', 'address'],
    ['https://[fd00:0:0::7]:8443', 'six'],
    ['https://xn--bcher-kva.example.org', 'letters'],
  ])('%s has what its origin has', async (url, expected) => {
    const accessFor = await accessOf(FILE);
    expect(accessFor(url)).toEqual({
      credentials: token(expected),
      tls: { skipsVerification: false },
      followsRedirects: false,
    });
  });

  it.each([
    'http://gpu-7.example.org:8443',
    'https://gpu-7.example.org',
    'https://gpu-7.example.org:8444',
    'https://example.org:8443',
    'https://a.b.example.org:8443',
    'https://gpu-7.example.org.evil.net:8443',
    'https://gpu-7.example.org:8443@evil.net',
    'https://gpu-7.example.org:8443@evil.net:8443',
    'https://evil.net/https://gpu-7.example.org:8443',
    'https://evil.net#gpu-7.example.org:8443',
    'https://xexample.org:8443',
    'https://*.evil.net:8443',
    'https://10.1.2.3:8001',
    'http://10.1.2.3',
    'gpu-7.example.org:8443',
    '',
  ])('%s has none', async (url) => {
    expect((await accessOf(FILE))(url)).toBeUndefined();
  });

  it('of an origin without secrets is without secrets, also below a wildcard', async () => {
    const plain = { credentials: undefined, tls: { skipsVerification: false }, followsRedirects: false };
    expect((await accessOf(FILE))('https://public.example.org:8443')).toEqual(plain);
  });

  it('of an empty list is none', async () => {
    expect((await accessOf('[]'))('https://gpu-7.example.org:8443')).toBeUndefined();
  });
});

describe('a file that cannot be used', () => {
  it('is explained line by line, without the values', async () => {
    const { ok, text } = await read(`
- url: https://gpu-7.example.org/path
- url: ftp://gpu-7.example.org
- url: https://user:pass@gpu-7.example.org
- url: https://*.0.0.1
- url: https://*.
- url: https://a.*.example.org
- url: https://gpu-7.example.org:99999
- url: [https://a.example.org]
- url:
- bearer_token: a
- https://gpu-7.example.org
- url: https://gpu-7.example.org
  bearer_tokn: a
  basic_auth: { username: u, password_file: missing }
- url: https://GPU-7.example.org:443/
  authorization: { type: Basic, credentials: x }
`);
    expect(ok).toBe(false);
    await expect(text).toMatchFileSnapshot('golden/agent-access-invalid.txt');
  });

  it.each([
    ['a mapping', 'url: https://a.example.org', 'agents.yml:1:1: error: the file must be a list'],
    ['empty', '', 'agents.yml:1:1: error: the file must be a list'],
    ['not YAML', '- url: [', 'agents.yml:'],
  ])('because it is %s', async (_, written, begins) => {
    const { ok, text } = await read(written);
    expect([ok, text.slice(0, begins.length)]).toEqual([false, begins]);
  });

  it('because it is not there', async () => {
    const { ok, text } = await readAgentAccess('/nonexistent/agents.yml');
    expect([ok, text]).toEqual([false, expect.stringMatching(/^\/nonexistent\/agents\.yml: cannot be read: /)]);
  });
});

describe('what may be used and is worth a word', () => {
  it('is a warning', async () => {
    const { ok, text } = await read(`
- url: http://gpu-1.example.org:8001
  bearer_token: a
- url: http://gpu-2.example.org:8001
  basic_auth: { username: u, password: p }
- url: http://gpu-3.example.org:8001
  authorization: { credentials: x }
  tls_config: { insecure_skip_verify: true }
- url: https://gpu-4.example.org:8001
  authorization: { credentials: x }
  follow_redirects: true
- url: http://gpu-5.example.org:8001
`);
    expect(ok).toBe(true);
    await expect(text).toMatchFileSnapshot('golden/agent-access-warnings.txt');
  });
});

describe('secrets', () => {
  const SECRET = 'zqxjvkwy';
  const PARTS = Array.from({ length: SECRET.length - 2 }, (_, i) => SECRET.slice(i, i + 3));

  it.each([
    `- url: https://user:${SECRET}@a.example.org`,
    `- url: ${SECRET}`,
    `- ${SECRET}`,
    `- bearer_token: ${SECRET}`,
    `- url: https://a.example.org\n  ${SECRET}: x`,
    `- url: https://a.example.org\n  basic_auth: ${SECRET}`,
    `- url: https://a.example.org\n  authorization: { type: Basic, credentials: ${SECRET} }`,
    `- url: https://a.example.org\n  bearer_token: "${SECRET}`,
    `- url: https://a.example.org\n  tls_config: { key: ${SECRET} }`,
    `- { url: https://a.example.org, bearer_token: a,${SECRET} }`,
    `- url: http://a.example.org\n  bearer_token: ${SECRET}`,
  ])('are not shown: %j', async (written) => {
    const { text } = await read(written);
    expect(text).toMatch(/: (error|warning): /);
    expect(PARTS.filter((part) => text.includes(part))).toEqual([]);
  });

  it('are not shown, whatever is mistyped around them', async () => {
    const whole = `- url: http://a.example.org:8001\n  basic_auth: { username: "${SECRET}", password: '${SECRET}' }\n- url: https://b.example.org\n  authorization: { credentials: ${SECRET} }\n  tls_config:\n    key: ${SECRET}\n`;
    const edit = fc.record({
      at: fc.nat(whole.length),
      drop: fc.nat(3),
      put: fc.string({ unit: fc.constantFrom(...'"\':,{}[]!<>*&%|#- \n@/('), maxLength: 3 }),
    });
    const folder = temporaryDirectory();
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        const written = edits.reduce((t, { at, drop, put }) => t.slice(0, at) + put + t.slice(at + drop), whole);
        const { text } = await read(written, folder);
        expect(PARTS.filter((part) => text.includes(part))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a ping', () => {
  it('shows the certificate and the token to their origin over TLS, and to no other', async (context) => {
    const { pem, client, directory } = certificatesFor(context);
    const seen: unknown[] = [];
    const options = { ...client('server'), ca: pem('ca.pem'), requestCert: true, rejectUnauthorized: false };
    const serve = async () => {
      const server = createServer(options, (request, response) => {
        const { subject } = (request.socket as TLSSocket).getPeerCertificate();
        seen.push([subject?.CN, request.headers.authorization]);
        answerWell(request, response);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      atEnd(async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      });
      return (server.address() as AddressInfo).port;
    };
    const [own, other] = [await serve(), await serve()];
    const trusted = `tls_config: { ca_file: ${directory}/ca.pem`;
    const accessFor = await accessOf(`
- url: https://127.0.0.1:${own}
  bearer_token: secret
  ${trusted}, cert_file: ${directory}/client.pem, key_file: ${directory}/client.key }
- url: https://127.0.0.1:${other}
  ${trusted} }
`);
    for (const port of [own, other]) {
      const url = `https://127.0.0.1:${port}/gpu`;
      const access = accessFor(url);
      expect(await ask(url, access && { access })).toMatchObject({ kind: 'answered' });
    }
    expect(seen).toEqual([
      ['client', 'Bearer secret'],
      [undefined, undefined],
    ]);
  });

  it('shows nothing any more when the agent has moved', async () => {
    const seen: unknown[] = [];
    const serve = () =>
      serveAgent((request, response) => {
        seen.push(request.headers.authorization);
        answerWell(request, response);
      });
    const [first, second] = [await serve(), await serve()];
    const accessFor = await accessOf(`- url: ${first.url}\n  authorization: { credentials: secret }\n`);
    for (const { url } of [first, second]) {
      const access = accessFor(url);
      await ask(url, access && { access });
    }
    expect(seen).toEqual(['Bearer secret', undefined]);
  });
});
