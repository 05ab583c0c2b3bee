/** The section tls_server_config: which certificate, which clients, which versions and ciphers. */

import type { SecureVersion } from 'node:tls';
import type { Place } from '../yaml-tree.ts';
import {
  type Fields,
  flag,
  listOf,
  note,
  oneOf,
  quoted,
  type Reader,
  readFields,
  type Spot,
  shown,
  text,
} from './fields.ts';
import {
  type ClientAuth,
  cipherSuites,
  clientAuthTypes,
  curves,
  insecureSuites,
  tls13Suites,
  tlsVersions,
} from './tls-names.ts';

/** A certificate or key: its PEM text itself, or the path of its file as written. */
export interface PemSource {
  readonly kind: 'text' | 'file';
  readonly value: string;
  readonly place: Place;
  /** Dotted, for messages. */
  readonly path: string;
}

export interface TlsSection {
  readonly place: Place;
  /** The certificate and its key are undefined only where that has been noted as a problem. */
  readonly certificate: PemSource | undefined;
  readonly key: PemSource | undefined;
  readonly clientCa: PemSource | undefined;
  readonly clientAuth: ClientAuth;
  /** One of these names must be in the client's certificate. */
  readonly allowedSans: readonly string[] | undefined;
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  /** As OpenSSL writes lists; so is `ecdhCurve`. */
  readonly ciphers: string;
  readonly honorCipherOrder: boolean;
  readonly ecdhCurve: string;
}

interface TlsKeys {
  readonly cert: string;
  readonly key: string;
  readonly client_ca: string;
  readonly cert_file: string;
  readonly key_file: string;
  readonly client_auth_type: string;
  readonly client_ca_file: string;
  readonly client_allowed_sans: readonly string[];
  readonly min_version: SecureVersion;
  readonly max_version: SecureVersion;
  readonly cipher_suites: readonly string[];
  readonly prefer_server_cipher_suites: boolean;
  readonly curve_preferences: readonly string[];
}

type TlsFields = Fields<TlsKeys>;

/** Undefined where nothing in the section asks for TLS: the server then speaks plain HTTP. */
export const tlsSection: Reader<TlsSection> = (node, spot) => {
  const fields = readFields<TlsKeys>(node, spot, {
    cert: text,
    key: text,
    client_ca: text,
    cert_file: text,
    key_file: text,
    client_auth_type: text,
    client_ca_file: text,
    client_allowed_sans: listOf(text),
    min_version: oneOf(tlsVersions),
    max_version: oneOf(tlsVersions),
    cipher_suites: listOf(cipherSuite),
    prefer_server_cipher_suites: flag,
    curve_preferences: listOf(oneOf(curves)),
  });
  const clients = readClients(fields, spot);
  if (!asksForTls(fields)) return undefined;
  return {
    place: node.place,
    certificate: requiredPem(fields, { ...spot, place: node.place }, 'cert'),
    key: requiredPem(fields, { ...spot, place: node.place }, 'key'),
    ...clients,
    ...readProtocol(fields, spot),
    honorCipherOrder: fields.prefer_server_cipher_suites?.value ?? true,
    ecdhCurve: fields.curve_preferences?.value.join(':') || 'auto',
  };
};

// The keys that count for the exporter-toolkit too; a version or a list of ciphers alone does not turn TLS on.
const enabling = ['cert', 'cert_file', 'key', 'key_file', 'client_ca', 'client_ca_file', 'client_auth_type'] as const;

function asksForTls(fields: TlsFields): boolean {
  return enabling.some((key) => isGiven(fields, key));
}

function isGiven(fields: TlsFields, key: (typeof enabling)[number]): boolean {
  return (fields[key]?.value ?? '') !== '';
}

type PemKey = 'cert' | 'key' | 'client_ca';

// As with the exporter-toolkit, the file wins where both are given.
function pemOf(fields: TlsFields, spot: Spot, key: PemKey): PemSource | undefined {
  const file = fields[`${key}_file`];
  if (file !== undefined && file.value !== '') return { kind: 'file', ...file, path: `${spot.path}.${key}_file` };
  const inline = fields[key];
  return inline === undefined || inline.value === ''
    ? undefined
    : { kind: 'text', ...inline, path: `${spot.path}.${key}` };
}

function requiredPem(fields: TlsFields, spot: Spot & { place: Place }, key: 'cert' | 'key'): PemSource | undefined {
  const pem = pemOf(fields, spot, key);
  if (pem === undefined)
    note(spot, {
      place: spot.place,
      message: `${spot.path} has neither ${key}_file nor ${key}`,
      fix: `give ${key}_file, or the PEM text as ${key}`,
    });
  return pem;
}

type Clients = Pick<TlsSection, 'clientCa' | 'clientAuth' | 'allowedSans'>;

function readClients(fields: TlsFields, spot: Spot): Clients {
  const clientCa = pemOf(fields, spot, 'client_ca');
  const { client_allowed_sans: allowed, client_auth_type: written } = fields;
  const clientAuth = readClientAuth(written, spot);
  // A list that protects nothing would look like protection.
  if (clientAuth === 'NoClientCert') {
    const fix = 'set client_auth_type to RequireAndVerifyClientCert';
    if (clientCa !== undefined)
      note(spot, {
        place: clientCa.place,
        message: `${clientCa.path} has no effect: no certificate is asked for`,
        fix,
      });
    if (allowed !== undefined)
      note(spot, {
        place: allowed.place,
        message: `${spot.path}.client_allowed_sans has no effect: no certificate is asked for`,
        fix,
      });
  }
  return { clientCa, clientAuth: clientAuth ?? 'NoClientCert', allowedSans: allowed?.value };
}

function readClientAuth(written: TlsFields['client_auth_type'], spot: Spot): ClientAuth | undefined {
  if (written === undefined || written.value === '') return 'NoClientCert';
  const known = Object.hasOwn(clientAuthTypes, written.value) ? clientAuthTypes[written.value] : undefined;
  if (known !== undefined) return known;
  const names = Object.keys(clientAuthTypes).join(', ');
  note(spot, {
    place: written.place,
    message: `${spot.path}.client_auth_type is ${quoted(written.value)}`,
    fix: `give one of ${names}`,
  });
  return undefined;
}

const cipherSuite: Reader<string> = (node, spot) => {
  const name = node.kind === 'text' ? node.text : '';
  const reason = Object.hasOwn(insecureSuites, name) ? insecureSuites[name] : undefined;
  const goName = Object.keys(cipherSuites).find((key) => cipherSuites[key] === name);
  if (reason === undefined && (goName === undefined || goName === name)) return oneOf(cipherSuites)(node, spot);
  const message = `${spot.path} is ${shown(node)}: ${reason ?? 'that is OpenSSL’s name for it'}`;
  const fix = goName === undefined ? 'remove it, or give one of those with ECDHE and GCM' : `write ${goName}`;
  note(spot, { place: node.place, message, fix });
  return undefined;
};

type Protocol = Pick<TlsSection, 'minVersion' | 'maxVersion' | 'ciphers'>;

function readProtocol(fields: TlsFields, spot: Spot): Protocol {
  const asked = fields.min_version?.value ?? 'TLSv1.2';
  const maxVersion = fields.max_version?.value ?? 'TLSv1.3';
  const older = olderSuites(fields);
  // Without a suite for an older version there is none to speak.
  const minVersion = older.length === 0 ? 'TLSv1.3' : asked;
  const place = fields.max_version?.place ?? fields.min_version?.place;
  if (place !== undefined && isOlder(maxVersion, asked))
    note(spot, {
      place,
      message: `${spot.path}.max_version is older than min_version`,
      fix: 'raise it, or lower min_version',
    });
  else if (place !== undefined && isOlder(maxVersion, minVersion))
    note(spot, {
      place,
      message: `${spot.path}.cipher_suites names no suite for the versions allowed`,
      fix: 'add one, or remove max_version',
    });
  return { minVersion, maxVersion, ciphers: [...tls13Suites, ...older, ...securityLevel(minVersion)].join(':') };
}

// Go cannot choose among the suites of TLS 1.3 either: all of them are always on.
function olderSuites({ cipher_suites: chosen }: TlsFields): readonly string[] {
  const isOlderSuite = (suite: string) => tls13Suites.every((name) => name !== suite);
  const listed = chosen === undefined || chosen.value.length === 0 ? Object.values(cipherSuites) : chosen.value;
  return listed.filter(isOlderSuite);
}

// OpenSSL speaks TLS 1.0 and 1.1 at its security level 0 only; nobody gets there without asking for it by name.
function securityLevel(minVersion: SecureVersion): readonly string[] {
  return isOlder(minVersion, 'TLSv1.2') ? ['@SECLEVEL=0'] : [];
}

function isOlder(left: SecureVersion, right: SecureVersion): boolean {
  const order = Object.values(tlsVersions);
  return order.indexOf(left) < order.indexOf(right);
}
