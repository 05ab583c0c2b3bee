/** Certificates and keys in PEM form: read, and found fault with before a connection needs them. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../text/message-of.ts';
import type { TlsSettings } from './settings.ts';
import { readTextSource } from './text-source.ts';

export type Pems = Partial<Record<'ca' | 'cert' | 'key', string>>;

/** The PEM texts that the settings name. Rejects with a sentence when a file cannot be read. */
export async function readPems({ ca, cert, key }: TlsSettings): Promise<Pems> {
  const wanted = Object.entries({ ca, cert, key }).flatMap(([name, source]) => (source ? [{ name, source }] : []));
  const texts = wanted.map(async ({ name, source }) => [name, await readTextSource(source)] as const);
  return Object.fromEntries(await Promise.all(texts));
}

export interface PemProblem {
  readonly part: keyof Pems;
  /** Follows the name of the part. */
  readonly message: string;
  readonly fix: string;
}

const CERTIFICATE_FIX = 'write whole certificates in PEM form, each from its BEGIN line to its END line';
const KEY_FIX = 'write the private key in PEM form, whole and without a passphrase';
const PAIR_FIX = 'use the key that the certificate was made for';

/** What is wrong with PEM texts. What they hold is quoted nowhere. */
export function pemProblems({ ca, cert, key }: Pems): readonly PemProblem[] {
  const problems = [
    ...problemOf('ca', () => ca !== undefined && readCertificates(ca)),
    ...problemOf('cert', () => cert !== undefined && readCertificates(cert) && createSecureContext({ cert })),
    ...problemOf('key', () => key !== undefined && createPrivateKey(key)),
  ];
  if (problems.length > 0 || cert === undefined || key === undefined) return problems;
  return problemOf('key', () => createSecureContext({ cert, key }), 'does not belong to the certificate', PAIR_FIX);
}

function problemOf(part: keyof Pems, attempt: () => unknown, what?: string, fix?: string): PemProblem[] {
  try {
    attempt();
    return [];
  } catch (error) {
    const isKey = part === 'key';
    const unreadable = `holds no ${isKey ? 'private key' : 'certificates'} that can be read`;
    const message = `${what ?? unreadable}: ${reasonOf(error)}`;
    return [{ part, message, fix: fix ?? (isKey ? KEY_FIX : CERTIFICATE_FIX) }];
  }
}

const BEGIN = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * The certificates in a text, but for those that cannot be read; throws when none can. TLS passes over an authority
 * that it cannot read, and where it is the only one trusts nobody.
 */
function readCertificates(pem: string): readonly X509Certificate[] {
  const starts = Array.from(pem.matchAll(BEGIN), ({ index }) => index);
  if (starts.length === 0) throw new Error('there is no BEGIN CERTIFICATE line');
  const read = starts.map((start, i) => readCertificate(pem.slice(start, starts[i + 1])));
  const whole = read.filter((one) => one instanceof X509Certificate);
  if (whole.length === 0) throw read[0];
  return whole;
}

function readCertificate(pem: string): unknown {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    return error;
  }
}

/** OpenSSL's words without its codes. */
export function reasonOf(error: unknown): string {
  const { reason } = error as { reason?: unknown };
  return typeof reason === 'string' ? reason : messageOf(error);
}
