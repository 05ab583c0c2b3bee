/** What node:tls needs for a section tls_server_config, with its certificates read and tried. */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Problem } from '../yaml-tree.ts';
import { readStamped, type StampedFile } from './stamped-file.ts';
import type { ClientAuth } from './tls-names.ts';
import type { PemSource, TlsSection } from './tls-section.ts';

export interface TlsSettings {
  readonly context: SecureContextOptions;
  readonly clientAuth: ClientAuth;
  readonly allowedSans: readonly string[] | undefined;
  /** Whether the operator named the authority: a certificate of any public one proves nothing about its holder. */
  readonly hasClientCa: boolean;
}

export interface LoadedTls {
  /** Undefined only with problems. */
  readonly settings: TlsSettings | undefined;
  readonly problems: readonly Problem[];
  readonly files: readonly StampedFile[];
}

interface Loading {
  readonly directory: string;
  readonly files: StampedFile[];
  readonly problems: Problem[];
}

/** Reads what the section names, relative to the configuration file at `configPath`. */
export function loadTls(section: TlsSection, configPath: string): LoadedTls {
  const loading: Loading = { directory: dirname(configPath), files: [], problems: [] };
  const cert = readPem(loading, section.certificate, certificateProblem);
  const key = readPem(loading, section.key, keyProblem);
  const ca = readPem(loading, section.clientCa, authorityProblem);
  const { problems, files } = loading;
  if (cert === undefined || key === undefined || problems.length > 0) return { settings: undefined, problems, files };
  const settings: TlsSettings = {
    context: contextOptions(section, { cert, key, ca }),
    clientAuth: section.clientAuth,
    allowedSans: section.allowedSans,
    hasClientCa: ca !== undefined,
  };
  const misfit = misfitOf({ cert, key }) ?? refusalOf(settings.context);
  if (misfit === undefined) return { settings, problems, files };
  const place = section.certificate?.place ?? section.place;
  return { settings: undefined, problems: [{ place, ...misfit }], files };
}

interface Material {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
}

function contextOptions(section: TlsSection, { cert, key, ca }: Material): SecureContextOptions {
  const { minVersion, maxVersion, ciphers, honorCipherOrder, ecdhCurve } = section;
  return { cert, key, ...(ca !== undefined && { ca }), minVersion, maxVersion, ciphers, honorCipherOrder, ecdhCurve };
}

type Misfit = Pick<Problem, 'message' | 'fix'>;

/** The PEM text; undefined where there is none, or none that can be used, which is noted then. */
function readPem(loading: Loading, source: PemSource | undefined, check: (pem: string) => Misfit | undefined) {
  if (source === undefined) return undefined;
  const pem = source.kind === 'text' ? source.value : readPemFile(loading, source);
  const misfit = pem === undefined ? undefined : check(pem);
  if (misfit !== undefined) noteMisfit(loading, source, misfit);
  return misfit === undefined ? pem : undefined;
}

function readPemFile(loading: Loading, source: PemSource): string | undefined {
  const file = readStamped(resolve(loading.directory, source.value));
  loading.files.push(file);
  if (file.kind === 'read') return file.text;
  noteMisfit(loading, source, {
    message: file.reason,
    fix: 'check the path, which is relative to this file, and its permissions',
  });
  return undefined;
}

function noteMisfit({ problems }: Loading, { path, place }: PemSource, { message, fix }: Misfit): void {
  problems.push({ place, message: `${path}: ${message}`, fix });
}

function certificateProblem(pem: string): Misfit | undefined {
  return blocksOf(pem).length > 0 && blocksOf(pem).every(isCertificate) ? undefined : noCertificate;
}

const noCertificate = { message: 'no certificate that can be read', fix: 'give certificates in PEM form' };

// OpenSSL stops at a block that it cannot read and leaves out all after it, without a word.
function authorityProblem(pem: string): Misfit | undefined {
  const nth = blocksOf(pem).findIndex((block) => !isCertificate(block));
  if (blocksOf(pem).length === 0 || nth === 0) return noCertificate;
  return nth < 0 ? undefined : { message: `certificate ${nth + 1} cannot be read`, fix: 'mend or remove it' };
}

function blocksOf(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).subject !== null;
  } catch {
    return false;
  }
}

function keyProblem(pem: string): Misfit | undefined {
  if (/ENCRYPTED/.test(pem))
    return { message: 'the key is encrypted', fix: 'decrypt it with: openssl pkey -in KEY -out PLAIN' };
  return keyOf(pem) === undefined
    ? { message: 'no private key that can be read', fix: 'give the private key in PEM form' }
    : undefined;
}

function keyOf(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function misfitOf({ cert, key }: Pick<Material, 'cert' | 'key'>): Misfit | undefined {
  if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return undefined;
  return {
    message: 'tls_server_config: the key is not the one of the certificate',
    fix: 'give the pair that was made together',
  };
}

function refusalOf(options: SecureContextOptions): Misfit | undefined {
  try {
    createSecureContext(options);
    return undefined;
  } catch (error) {
    // Node puts what OpenSSL objects to, in words, into `reason`.
    const reason = error instanceof Error && 'reason' in error ? error.reason : error;
    return {
      message: `tls_server_config: OpenSSL does not take this certificate, key and ciphers: ${reason}`,
      fix: 'make a new pair, or choose other ciphers',
    };
  }
}
