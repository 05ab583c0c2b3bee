/** Certificates made by openssl for one test file: an authority, a server, clients good and bad. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, type TestContext } from 'vitest';
import { requireProgram } from './program.ts';

export interface Certificates {
  readonly directory: string;
  /** PEM text of a file, such as `ca.pem` or `client.key`. */
  pem(name: string): string;
  /** Certificate and key of a client, for node:tls and node:https. */
  client(name: string): { readonly cert: string; readonly key: string };
}

const serverNames = 'DNS:localhost,IP:127.0.0.1,IP:::1';
const clientNames =
  'DNS:prometheus.example.org,URI:spiffe://example.org/prometheus,email:sre@example.org,IP:10.1.2.3,IP:fd00::7';

let made: Certificates | undefined;

/** The same certificates for all tests of a file; they disappear after its last test. Skips where openssl is missing. */
export function certificatesFor(context: TestContext): Certificates {
  const program = requireProgram(context, 'openssl');
  made ??= makeCertificates(program);
  return made;
}

afterAll(() => {
  if (made !== undefined) rmSync(made.directory, { recursive: true, force: true });
  made = undefined;
});

function makeCertificates(program: string): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'gpu-uptime-certificates-'));
  const openssl = (...args: readonly string[]) => void execFileSync(program, args, { cwd: directory, stdio: 'pipe' });
  makeAuthority(openssl, 'ca', 'Authority');
  makeAuthority(openssl, 'other-ca', 'Another authority');
  makeCertificate(openssl, directory, { name: 'server', authority: 'ca', names: serverNames });
  makeCertificate(openssl, directory, { name: 'renewed', authority: 'ca', names: serverNames });
  makeCertificate(openssl, directory, { name: 'client', authority: 'ca', names: clientNames });
  makeCertificate(openssl, directory, { name: 'nameless', authority: 'ca', names: 'DNS:somebody.example.org' });
  makeCertificate(openssl, directory, { name: 'stranger', authority: 'other-ca', names: clientNames });
  makeCertificate(openssl, directory, { name: 'expired', authority: 'ca', names: clientNames, days: -1 });
  makeRsaServer(openssl);
  makeBadOnes(openssl, directory);
  const pem = (name: string) => readFileSync(join(directory, name), 'utf8');
  return { directory, pem, client: (name) => ({ cert: pem(`${name}.pem`), key: pem(`${name}.key`) }) };
}

type OpenSsl = (...args: readonly string[]) => void;

const ellipticKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function makeAuthority(openssl: OpenSsl, name: string, title: string): void {
  openssl(
    'req',
    '-x509',
    ...ellipticKey,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    '-days',
    '2',
    '-subj',
    `/CN=${title}`,
  );
}

interface Wanted {
  readonly name: string;
  readonly authority: string;
  readonly names: string;
  readonly days?: number;
}

function makeCertificate(openssl: OpenSsl, directory: string, { name, authority, names, days = 2 }: Wanted): void {
  openssl('req', '-new', ...ellipticKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  writeFileSync(join(directory, `${name}.ext`), `subjectAltName=${names}\n`);
  const signing = [
    '-CA',
    `${authority}.pem`,
    '-CAkey',
    `${authority}.key`,
    '-CAcreateserial',
    '-extfile',
    `${name}.ext`,
  ];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-days', String(days), '-out', `${name}.pem`);
}

function makeRsaServer(openssl: OpenSsl): void {
  const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${serverNames}`];
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'rsa.key',
    '-out',
    'rsa.pem',
    '-days',
    '2',
    ...subject,
  );
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:1024',
    '-nodes',
    '-keyout',
    'weak.key',
    '-out',
    'weak.pem',
    '-days',
    '2',
    ...subject,
  );
}

function makeBadOnes(openssl: OpenSsl, directory: string): void {
  openssl('pkey', '-in', 'server.key', '-aes128', '-passout', 'pass:secret', '-out', 'encrypted.key');
  const [ca, pair] = ['ca.pem', 'server.pem'].map((name) => readFileSync(join(directory, name), 'utf8'));
  mkdirSync(join(directory, 'folder'));
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  writeFileSync(join(directory, 'broken-ca.pem'), `${ca}${broken}`);
  writeFileSync(join(directory, 'both.pem'), `${readFileSync(join(directory, 'server.key'), 'utf8')}${pair}`);
}

/** A configuration file beside the certificates; `PEM(name)` in it becomes the text of that file. */
export function placeConfig({ directory, pem }: Certificates, name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(
    path,
    text.replace(/PEM\(([\w.-]+)\)/g, (_, file: string) => JSON.stringify(pem(file))),
  );
  return path;
}
