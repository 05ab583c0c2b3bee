/** Prometheus' HTTP client settings in a YAML file: https://prometheus.io/docs/prometheus/latest/configuration/configuration/ */
import { resolve } from 'node:path';
import {
  child,
  complain,
  complainOfKey,
  type Field,
  isBlank,
  isWritten,
  readFlag,
  readMapping,
  readText,
} from '../policy/yaml-fields.ts';
import {
  type Credentials,
  type HttpClientSettings,
  type TextSource,
  TLS_VERSIONS,
  type TlsSettings,
  type TlsVersion,
} from './settings.ts';

/** Keys that mean something here, for the `readMapping` of the mapping that holds them beside others. */
export const HTTP_CLIENT_KEYS = [
  'basic_auth',
  'authorization',
  'bearer_token',
  'bearer_token_file',
  'tls_config',
  'follow_redirects',
  'enable_http2',
  'oauth2',
  'http_headers',
  'proxy_url',
  'no_proxy',
  'proxy_from_environment',
  'proxy_connect_header',
];

/** Keys of Prometheus that the engine knows and cannot serve; leaving one out silently would be worse than refusing. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  oauth2: 'use basic_auth, authorization or a client certificate, or let a proxy in front fetch the token',
  http_headers: 'let a proxy in front add the headers',
  proxy_url: 'give the address of a server that can be reached directly',
  no_proxy: 'remove it: no proxy is used',
  proxy_from_environment: 'remove it: no proxy is used',
  proxy_connect_header: 'remove it: no proxy is used',
};

/** A file is named relative to the configuration that names it; whoever reads it wants to know that it exists. */
export interface NamedFile {
  readonly field: Field;
  readonly path: string;
}

/** A `tls_config`, whose certificates are to be tried. */
export interface WrittenTls {
  readonly field: Field;
  readonly settings: TlsSettings;
}

export interface ReadContext {
  /** Folder of the configuration. */
  readonly directory: string;
  /** Filled with every file that is named. */
  readonly files: NamedFile[];
  /** Filled with every TLS configuration. */
  readonly tls: WrittenTls[];
}

/** The HTTP client settings of the mapping at `field`. Wrong ones are reported, and read as if absent. */
export function readHttpClient(field: Field, context: ReadContext): HttpClientSettings {
  for (const [key, fix] of Object.entries(UNSUPPORTED)) {
    if (isWritten(child(field, key))) complainOfKey(child(field, key), `"${key}" is not supported`, fix);
  }
  // HTTP/2 saves nothing for one request at a time; the key only has to be well written.
  readFlag(child(field, 'enable_http2'), true);
  return {
    credentials: readCredentials(field, context),
    tls: readTls(child(field, 'tls_config'), context),
    followsRedirects: readFlag(child(field, 'follow_redirects'), true),
  };
}

const AUTHENTICATION = ['basic_auth', 'authorization', 'bearer_token', 'bearer_token_file'];

function readCredentials(field: Field, context: ReadContext): Credentials | undefined {
  const [first, second] = AUTHENTICATION.map((key) => child(field, key)).filter((way) => !isBlank(way));
  if (first === undefined) return undefined;
  if (second !== undefined) {
    const [one, other] = [first, second].map(({ path }) => `"${String(path.at(-1))}"`);
    complainOfKey(second, `${one} and ${other} are both set`, 'keep one of the two');
  }
  switch (first.path.at(-1)) {
    case 'basic_auth':
      return readBasicAuth(first, context);
    case 'authorization':
      return readAuthorization(first, context);
    default: {
      const token = readSource(field, 'bearer_token', context);
      return token && { kind: 'token', scheme: 'Bearer', token };
    }
  }
}

function readBasicAuth(field: Field, context: ReadContext): Credentials | undefined {
  const keys = ['username', 'username_file', 'password', 'password_file'];
  if (readMapping(field, keys) === undefined) return undefined;
  const username = readSource(field, 'username', context) ?? { text: '' };
  const password = readSource(field, 'password', context) ?? { text: '' };
  return { kind: 'basic', username, password };
}

function readAuthorization(field: Field, context: ReadContext): Credentials | undefined {
  if (readMapping(field, ['type', 'credentials', 'credentials_file']) === undefined) return undefined;
  const type = child(field, 'type');
  const scheme = (readText(type) ?? '').trim() || 'Bearer';
  if (scheme.toLowerCase() === 'basic') complain(type, 'type "Basic" needs a user name', 'use basic_auth instead');
  return { kind: 'token', scheme, token: readSource(field, 'credentials', context) ?? { text: '' } };
}

const TLS_KEYS = [
  'ca',
  'ca_file',
  'cert',
  'cert_file',
  'key',
  'key_file',
  'server_name',
  'insecure_skip_verify',
  'min_version',
  'max_version',
];

function readTls(field: Field, context: ReadContext): TlsSettings {
  if (isBlank(field) || readMapping(field, TLS_KEYS) === undefined) return { skipsVerification: false };
  const [ca, cert, key] = (['ca', 'cert', 'key'] as const).map((name) => readSource(field, name, context));
  if (cert !== undefined && key === undefined) {
    complainOfKey(field, 'the client has a certificate and no key', 'add key_file or key');
  }
  if (cert === undefined && key !== undefined) {
    complainOfKey(field, 'the client has a key and no certificate', 'add cert_file or cert');
  }
  const serverName = readText(child(field, 'server_name'));
  const minVersion = readVersion(child(field, 'min_version'));
  const maxVersion = readVersion(child(field, 'max_version'));
  const settings: TlsSettings = {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(serverName && { serverName }),
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
    skipsVerification: readFlag(child(field, 'insecure_skip_verify'), false),
  };
  context.tls.push({ field, settings });
  return settings;
}

function readVersion(field: Field): TlsVersion | undefined {
  const text = readText(field);
  if (text === undefined || text === '') return undefined;
  const names = Object.keys(TLS_VERSIONS);
  const version = Object.entries(TLS_VERSIONS).find(([name]) => name === text)?.[1];
  if (version === undefined) complain(field, 'there is no such TLS version', `write one of ${names.join(', ')}`);
  return version;
}

/** The text under `name`, or the file under `name_file`; an empty one counts as absent, as in Prometheus. */
function readSource(field: Field, name: string, { directory, files }: ReadContext): TextSource | undefined {
  const [inline, inFile] = [child(field, name), child(field, `${name}_file`)];
  const [text, file] = [readText(inline) || undefined, readText(inFile) || undefined];
  if (text !== undefined && file !== undefined) {
    complainOfKey(inFile, `"${name}" and "${name}_file" are both set`, 'keep one of the two');
  }
  if (text !== undefined) return { text };
  if (file === undefined) return undefined;
  const path = resolve(directory, file);
  files.push({ field: inFile, path });
  return { file: path };
}
