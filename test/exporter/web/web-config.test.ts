import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, type TestContext } from 'vitest';
import { openWebConfig } from '../../../exporter/web/config-file.ts';
import { parseWebConfig } from '../../../exporter/web/web-config.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { certificatesFor, placeConfig } from './certificates.ts';

const configs = join(import.meta.dirname, 'golden');
const names = readdirSync(configs);
const good = names.filter((name) => name.endsWith('.good.yml'));
const bad = names.filter((name) => name.endsWith('.bad.yml'));
const textOf = (name: string) => readFileSync(join(configs, name), 'utf8');

const listener = { now: () => 0, onReload: () => undefined, onRefused: () => undefined };

/** The file beside fresh certificates, and what is wrong with it. */
function open(context: TestContext, name: string) {
  const certificates = certificatesFor(context);
  const path = placeConfig(certificates, name, textOf(name));
  const opened = openWebConfig(path, listener);
  const problems = opened.kind === 'invalid' ? opened.problems : [];
  return { path, opened, problems: problems.map((problem) => problem.replaceAll(`${certificates.directory}/`, '')) };
}

describe('a web configuration file', () => {
  it.for(good)('%s is taken', (name, context) => {
    expect(open(context, name).problems).toEqual([]);
  });

  it.for(bad)('%s is refused: every problem with its place and what to do', async (name, context) => {
    const { problems } = open(context, name);
    expect(problems).not.toEqual([]);
    await expect(`${problems.join('\n')}\n`).toMatchFileSnapshot(`golden/${name.replace('.bad.yml', '.txt')}`);
  });

  it('that is not there is refused', () => {
    expect(openWebConfig('/nowhere/web.yml', listener)).toEqual({
      kind: 'invalid',
      problems: ['The web configuration cannot be read: there is no file /nowhere/web.yml.'],
    });
  });

  it('shows neither keys nor passwords in what it complains about', (context) => {
    const secrets = [/horse/, /\$2[axy]\$/, /PRIVATE KEY/, /MII/];
    const said = bad.flatMap((name) => open(context, name).problems).join('\n');
    expect(secrets.filter((secret) => secret.test(said.replaceAll('($2a$, $2b$ or $2y$)', '')))).toEqual([]);
  });

  it.for(names.filter((name) => /^# promtool (accepts|refuses) this/.test(textOf(name))))(
    '%s: promtool says the same',
    async (name, context) => {
      const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
      const { path, opened } = open(context, name);
      expect(opened.kind === 'opened').toBe(promtoolTakes(promtool, path));
    },
  );

  it('is understood in full', (context) => {
    const { opened } = open(context, 'full.good.yml');
    const settings = opened.kind === 'opened' ? opened.file.settings() : undefined;
    expect({ ...settings, users: [...(settings?.users.keys() ?? [])] }).toEqual({
      tls: {
        context: {
          cert: expect.stringContaining('BEGIN CERTIFICATE'),
          key: expect.stringContaining('BEGIN PRIVATE KEY'),
          ca: expect.stringContaining('BEGIN CERTIFICATE'),
          minVersion: 'TLSv1.2',
          maxVersion: 'TLSv1.3',
          ciphers:
            'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:' +
            'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384',
          honorCipherOrder: true,
          ecdhCurve: 'X25519:P-256',
        },
        clientAuth: 'RequireAndVerifyClientCert',
        allowedSans: ['prometheus.example.org', 'spiffe://example.org/prometheus'],
        hasClientCa: true,
      },
      headers: [
        ['Content-Security-Policy', "default-src 'self'"],
        ['X-Frame-Options', 'deny'],
        ['X-Content-Type-Options', 'nosniff'],
        ['X-XSS-Protection', '1'],
        ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
      ],
      users: ['alice', 'bob', 'carol'],
      rateLimit: undefined,
    });
  });
});

function promtoolTakes(promtool: string, path: string): boolean {
  try {
    execFileSync(promtool, ['check', 'web-config', path], { stdio: 'pipe', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

const nothing = { tls: undefined, headers: [], users: new Map(), rateLimit: undefined };

describe('parseWebConfig', () => {
  it.each(['', '# nothing\n', '---\n', 'null', '~\n', '{}'])('%j turns nothing on', (source) => {
    expect(parseWebConfig(source)).toEqual({ config: nothing, problems: [] });
  });

  it.each([
    ['500ms', 500],
    ['1s', 1000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h1m1s', 3_661_000],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['1000000ns', 1],
    ['"2s"', 2000],
  ])('rate_limit.interval %s is %d ms', (written, intervalMs) => {
    const { config, problems } = parseWebConfig(`rate_limit: { interval: ${written}, burst: 3 }`);
    expect({ rateLimit: config.rateLimit, problems }).toEqual({ rateLimit: { intervalMs, burst: 3 }, problems: [] });
  });

  it.each(['1', '-1s', '1 s', 's', '1d', 'soon', '1.s', '[1s]'])('rate_limit.interval %s is refused', (written) => {
    const { problems } = parseWebConfig(`rate_limit: { interval: ${written}, burst: 3 }`);
    expect(problems.map(({ fix }) => fix)).toEqual(['give a number with its unit, such as 500ms, 1s or 2m']);
  });

  it.each([
    ...['true', 'True', 'TRUE', 'yes', 'on', 'y', 'Y', 'false', 'No', 'OFF', 'n'].map(
      (written) => [written, 0] as const,
    ),
    ...['tRue', '1', '0', '"true"', "'no'", 'enabled'].map((written) => [written, 1] as const),
  ])('http2: %s has %d problems', (written, problems) => {
    expect(parseWebConfig(`http_server_config: { http2: ${written} }`).problems).toHaveLength(problems);
  });

  it('never throws, whatever the text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'&*<:-[]{}\'"|>\n\t #abc!%@`~?,.') }),
    );
    fc.assert(fc.property(text, isSound), { numRuns: 2000 });
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => isSound(Buffer.from(bytes).toString('utf8'))),
      { numRuns: 1000 },
    );
  });

  it('never throws, whatever stands under the keys it knows', () => {
    const known = [...textOf('full.good.yml').matchAll(/^ *(?<key>[\w-]+):/gm)].map(({ groups }) => groups?.key ?? '');
    const key = fc.oneof(
      fc.constantFrom(...known, 'rate_limit', 'interval', 'burst', '__proto__', 'constructor'),
      fc.string(),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.anything({ maxDepth: 0 }),
        fc.array(tie('tree'), { maxLength: 3 }),
        tie('map'),
      ),
      map: fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    }));
    fc.assert(
      fc.property(tree, (value) => isSound(JSON.stringify(value) ?? '')),
      { numRuns: 2000 },
    );
  });

  it('never throws on a good file that was cut off or changed somewhere', () => {
    const source = textOf('full.good.yml');
    const change = fc.tuple(fc.nat(source.length), fc.nat(20), fc.string({ maxLength: 5 }));
    fc.assert(
      fc.property(change, ([at, length, other]) => isSound(source.slice(0, at) + other + source.slice(at + length))),
      { numRuns: 2000 },
    );
  });

  it('stays quick on a file made to be slow', () => {
    const anchors = Array.from(
      { length: 20_000 },
      (_, nth) => `- &a${nth} [*a${Math.max(0, nth - 1)}, *a${Math.max(0, nth - 1)}]`,
    );
    const hostile = [
      anchors.join('\n'),
      '['.repeat(100_000),
      `a: ${'"\\u0041'.repeat(50_000)}"`,
      '- '.repeat(100_000),
      'a: b\n'.repeat(100_000),
    ];
    const startMs = performance.now();
    expect(hostile.every(isSound)).toBe(true);
    expect(performance.now() - startMs).toBeLessThan(5000);
  });
});

// Either something to use or something to complain about, with places inside of the text.
function isSound(source: string): boolean {
  const { config, problems } = parseWebConfig(source);
  const places = problems.every(({ place: { start, end } }) => start >= 0 && start <= end && start <= source.length);
  const isUsable = config.tls === undefined || (config.tls.certificate !== undefined && config.tls.key !== undefined);
  return (
    places && (problems.length > 0 || isUsable) && problems.every(({ message, fix }) => message !== '' && fix !== '')
  );
}
