import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAlertingFile } from '../../../engine/alertmanager/alerting-file.ts';
import { readHttpClientFile } from '../../../engine/http-client/settings-file.ts';
import { certificatesFor } from '../../exporter/web/certificates.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

/** What reading a client file comes to, without the folder it lies in. */
async function read(text: string, folder = temporaryDirectory()) {
  const file = join(folder, 'client.yml');
  writeFileSync(file, text);
  const outcome = await readHttpClientFile(file);
  return { ok: outcome.ok, text: outcome.text.replaceAll(`${folder}/`, '') };
}

describe('follow_redirects', () => {
  it('is said to have no effect', async () => {
    expect(await read('bearer_token: a-token\nfollow_redirects: true')).toEqual({
      ok: true,
      text: [
        'client.yml:2:1: warning: "follow_redirects" has no effect: no query follows a redirect',
        '  fix: remove it, and set PROMETHEUS_URL to where redirects lead\n',
      ].join('\n'),
    });
  });

  it.each(['follow_redirects: false', 'follow_redirects:', ''])('is no news in "%s"', async (text) => {
    expect(await read(text)).toEqual({ ok: true, text: '' });
  });
});

describe('certificates and keys', () => {
  type Pem = (name: string) => string;
  type Texts = Partial<Record<'ca' | 'cert' | 'key', (pem: Pem) => string>>;

  const half = (pem: string) => pem.slice(0, pem.length / 2);
  const TLS = 'tls_config:\n  ca_file: ca\n  cert_file: cert\n  key_file: key\n';

  /** Reads a file that names a good authority, certificate and key, but for `texts`. */
  async function readTls(pem: Pem, texts: Texts) {
    const folder = temporaryDirectory();
    const good = { ca: () => pem('ca.pem'), cert: () => pem('client.pem'), key: () => pem('client.key') };
    for (const [name, make] of Object.entries({ ...good, ...texts })) writeFileSync(join(folder, name), make(pem));
    const { ok, text } = await read(TLS, folder);
    return { ok, said: text.split('\n')[0] };
  }

  const UNREADABLE = [
    ['an empty authority', { ca: () => '' }, '2:12', 'ca_file', 'there is no BEGIN CERTIFICATE line'],
    ['half an authority', { ca: (pem: Pem) => half(pem('ca.pem')) }, '2:12', 'ca_file', 'bad end line'],
    [
      'a key as authority',
      { ca: (pem: Pem) => pem('ca.key') },
      '2:12',
      'ca_file',
      'there is no BEGIN CERTIFICATE line',
    ],
    ['half a certificate', { cert: (pem: Pem) => half(pem('client.pem')) }, '3:14', 'cert_file', 'bad end line'],
    [
      'a certificate and half of the next',
      { cert: (pem: Pem) => `${pem('client.pem')}${half(pem('ca.pem'))}` },
      '3:14',
      'cert_file',
      'bad end line',
    ],
    ['half a key', { key: (pem: Pem) => half(pem('client.key')) }, '4:13', 'key_file', 'unsupported'],
    ['an empty key', { key: () => '' }, '4:13', 'key_file', 'unsupported'],
  ] as const;

  it.for(UNREADABLE)('%s is refused at its line', async ([, texts, place, name, reason], context) => {
    const kind = name === 'key_file' ? 'private key' : 'certificates';
    expect(await readTls(certificatesFor(context).pem, texts)).toEqual({
      ok: false,
      said: `client.yml:${place}: error: "${name}" holds no ${kind} that can be read: ${reason}`,
    });
  });

  it('a key with a passphrase is refused', async (context) => {
    const { pem } = certificatesFor(context);
    const texts = { cert: () => pem('server.pem'), key: () => pem('encrypted.key') };
    expect(await readTls(pem, texts)).toEqual({
      ok: false,
      said: expect.stringMatching(/^client\.yml:4:13: error: "key_file" holds no private key that can be read: /),
    });
  });

  it('the key of another certificate is refused', async (context) => {
    const { pem } = certificatesFor(context);
    expect(await readTls(pem, { key: () => pem('stranger.key') })).toEqual({
      ok: false,
      said: 'client.yml:4:13: error: "key_file" does not belong to the certificate: key values mismatch',
    });
  });

  it('are accepted when they belong together, and among several authorities one may be broken', async (context) => {
    const { pem } = certificatesFor(context);
    expect(await readTls(pem, { ca: () => pem('broken-ca.pem') })).toEqual({ ok: true, said: '' });
  });

  it('are tried where they stand in the file itself', async () => {
    const { ok, text } = await read('tls_config:\n  ca: |\n    nothing\n');
    expect([ok, text.split('\n')[0]]).toEqual([
      false,
      'client.yml:3:5: error: "ca" holds no certificates that can be read: there is no BEGIN CERTIFICATE line',
    ]);
  });
});

describe('secrets', () => {
  /** No three letters of it follow one another in any sentence. */
  const SECRET = 'zqxjvkwy';
  const PARTS = Array.from({ length: SECRET.length - 2 }, (_, i) => SECRET.slice(i, i + 3));

  /** What the diagnostics of a file say, whichever way it is read. */
  async function said(text: string): Promise<string> {
    const file = join(temporaryDirectory(), 'settings.yml');
    writeFileSync(file, text);
    return (await readHttpClientFile(file)).text + (await readAlertingFile(file, {})).text;
  }

  it.each([
    `basic_auth: { username: u, password: "ab,${SECRET}", passwrd: x }`,
    `basic_auth: { username: u, password: ab,${SECRET} }`,
    `basic_auth: { username: u, password: [${SECRET}] }`,
    `basic_auth: ${SECRET}`,
    `basic_auth:\n  password: x: ${SECRET}`,
    `basic_auth:\n  password: "${SECRET}`,
    `basic_auth:\n  password: *${SECRET}`,
    `basic_auth:\n  password: !${SECRET} x`,
    `basic_auth:\n  password: !<${SECRET}> x`,
    `basic_auth:\n  password: !${SECRET}!x y`,
    `basic_auth:\n  password: !"${SECRET} y`,
    `basic_auth:\n  password: &${SECRET} *${SECRET}`,
    `basic_auth:\n  password: %${SECRET}`,
    `basic_auth:\n  password: \`${SECRET}`,
    `basic_auth:\n  password: a\n  ${SECRET}`,
    `%TAG !${SECRET}! x\n%TAG !${SECRET}! y\n---\n{}`,
    `? [${SECRET}]\n: x`,
    `${SECRET}: a\n${SECRET}: b`,
    `basic_auth: { password_file: ${SECRET} }`,
    `authorization: { type: Basic, credentials: ${SECRET} }`,
    `bearer_token: ${SECRET}\nbearer_token_file: ${SECRET}`,
    `proxy_url: http://user:${SECRET}@proxy:3128`,
    `http_headers: { X-Key: { values: ["${SECRET}"] } }`,
    `oauth2: { client_id: a, client_secret: ${SECRET} }`,
    `tls_config: { key: "${SECRET}", cert: "${SECRET}", ca: "${SECRET}" }`,
    `tls_config: { min_version: ${SECRET} }`,
    `tls_config: { insecure_skip_verify: ${SECRET} }`,
    `follow_redirects: ${SECRET}`,
    `global: { external_labels: { a: '$${SECRET}' } }`,
    `alerting: { alert_relabel_configs: [{ action: ${SECRET}, regex: '(${SECRET}' }] }`,
    ...[
      `scheme: ${SECRET}`,
      `timeout: ${SECRET}`,
      `api_version: ${SECRET}`,
      `static_configs: [{ targets: ['http://user:${SECRET}@am:9093'] }]`,
      `static_configs: [{ targets: ['user:${SECRET}@am:9093'] }]`,
      `dns_sd_configs: [{ names: [a], type: ${SECRET}, refresh_interval: ${SECRET} }]`,
      `file_sd_configs: [{ files: [${SECRET}] }]`,
      `sigv4: { secret_key: ${SECRET} }`,
      `basic_auth: { username: u, password: "ab,${SECRET}", passwrd: x }`,
    ].map((entry) => `alerting:\n  alertmanagers:\n    - ${entry}`),
  ])('are not shown: %j', async (text) => {
    const shown = await said(text);
    expect(shown).toMatch(/: error: /);
    expect(PARTS.filter((part) => shown.includes(part))).toEqual([]);
  });

  it('are not shown, whatever is mistyped around them', async () => {
    const whole = [
      'global: { external_labels: { cluster: eu } }',
      'alerting:',
      '  alertmanagers:',
      '    - scheme: https',
      `      basic_auth: { username: "${SECRET}", password: '${SECRET}' }`,
      `      proxy_url: http://user:${SECRET}@proxy:3128`,
      '      tls_config:',
      `        key: ${SECRET}`,
      `    - authorization: { credentials: ${SECRET} }`,
      `    - bearer_token: ${SECRET}`,
    ].join('\n');
    const edit = fc.record({
      at: fc.nat(whole.length),
      drop: fc.nat(3),
      put: fc.string({ unit: fc.constantFrom(...'"\':,{}[]!<>*&%|#- \n$(`'), maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        const text = edits.reduce((t, { at, drop, put }) => t.slice(0, at) + put + t.slice(at + drop), whole);
        const shown = await said(text);
        expect(PARTS.filter((part) => shown.includes(part))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
