/**
 * Secrets for agents, by where they are sent: AGENT_CLIENT_FILE. An agent chooses its id and its URL itself, so a secret
 * belongs to an origin, and an agent that registers with another URL never gets it.
 */
import { isIP } from 'node:net';
import type { HttpClientSettings } from '../http-client/settings.ts';
import { HTTP_CLIENT_KEYS, type ReadContext, readHttpClient } from '../http-client/settings-fields.ts';
import { type FileOutcome, readSettingsFile } from '../http-client/settings-file.ts';
import { child, complain, type Field, isBlank, readList, readMapping, readText } from '../policy/yaml-fields.ts';

export interface AgentAccess {
  /** What the agent at the URL wants shown; of an origin and a wildcard that covers it, the origin's. */
  accessFor(url: string): HttpClientSettings | undefined;
}

/**
 * Reads a list of `{ url: origin, … }` with Prometheus' HTTP client settings beside each URL. Never throws; what the
 * diagnostics say never quotes a value.
 */
export async function readAgentAccess(file: string): Promise<FileOutcome<AgentAccess>> {
  return readSettingsFile(file, (root, context) => {
    const byOrigin = new Map<string, HttpClientSettings>();
    for (const item of readList(root)) readEntry(item, context, byOrigin);
    return { accessFor: (url) => keysOf(url).flatMap((key) => byOrigin.get(key) ?? [])[0] };
  });
}

function readEntry(item: Field, context: ReadContext, byOrigin: Map<string, HttpClientSettings>): void {
  if (readMapping(item, ['url', ...HTTP_CLIENT_KEYS]) === undefined) return;
  const settings = { ...readHttpClient(item, context), followsRedirects: false };
  const origin = readOrigin(child(item, 'url'));
  if (origin === undefined) return;
  warnOfWhatIsLost(item, origin, settings);
  if (byOrigin.has(keyOf(origin))) {
    complain(child(item, 'url'), 'this origin is listed before', 'keep one entry for each scheme, host and port');
  }
  byOrigin.set(keyOf(origin), settings);
}

interface Origin {
  readonly scheme: string;
  /** With `*` for its first label where it is a wildcard. */
  readonly host: string;
  readonly port: string;
}

const EXAMPLE = 'write scheme, host and port, like https://gpu-7.example.org:8443 or https://*.example.org';
const WILDCARD = /^(https?:\/\/)\*\./i;
const LABEL = /^[a-z0-9_-]{1,63}$/;

function readOrigin(field: Field): Origin | undefined {
  const text = readText(field);
  if (text === undefined) {
    if (isBlank(field)) complain(field, '"url" is missing: secrets belong to an origin', EXAMPLE);
    return undefined;
  }
  // A letter stands in for the star, which is no character of a host.
  const isWildcard = WILDCARD.test(text);
  const origin = /^https?:\/\/[^/?#@\\\s]+\/?$/i.test(text) ? originOf(text.replace(WILDCARD, '$1x.')) : undefined;
  if (origin === undefined || !isHost(origin.host) || (isWildcard && !origin.host.includes('.'))) {
    complain(field, '"url" is not an origin', EXAMPLE);
    return undefined;
  }
  return isWildcard ? { ...origin, host: withStar(origin.host) } : origin;
}

function isHost(host: string): boolean {
  return isIP(host) !== 0 || host.split('.').every((label) => LABEL.test(label));
}

/** Read as the client of pings reads it: one spelling for every way to write a host or a usual port. */
function originOf(url: string): Origin | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  const scheme = protocol.slice(0, -1);
  return { scheme, host: hostname.replace(/^\[|\]$|\.+$/g, ''), port: port || (scheme === 'https' ? '443' : '80') };
}

function withStar(host: string): string {
  return host.replace(/^[^.]+/, '*');
}

function keyOf({ scheme, host, port }: Origin): string {
  return `${scheme} ${host} ${port}`;
}

/** The origin itself before the wildcard for its first label. */
function keysOf(url: string): readonly string[] {
  const origin = originOf(url);
  if (origin === undefined) return [];
  const isName = isIP(origin.host) === 0 && origin.host.includes('.');
  return [origin, ...(isName ? [{ ...origin, host: withStar(origin.host) }] : [])].map(keyOf);
}

function warnOfWhatIsLost(item: Field, { scheme }: Origin, { credentials }: HttpClientSettings): void {
  if (!isBlank(child(item, 'follow_redirects'))) {
    warn(child(item, 'follow_redirects'), 'has no effect: no ping follows a redirect', 'remove it');
  }
  if (scheme === 'https') return;
  const secret = ['basic_auth', 'authorization', 'bearer_token', 'bearer_token_file'].map((key) => child(item, key));
  const [written] = secret.filter((field) => !isBlank(field));
  if (written !== undefined && credentials !== undefined) {
    warn(
      written,
      'is readable to everybody on the way: the origin is http',
      'let the agent serve https, and write https',
    );
  }
  if (!isBlank(child(item, 'tls_config'))) {
    warn(child(item, 'tls_config'), 'has no effect: the origin is http', 'write https, or remove it');
  }
}

/** Reports at the key of the field. */
function warn(field: Field, what: string, fix: string): void {
  const { document, path, problems } = field;
  const message = `"${String(path.at(-1))}" ${what}`;
  problems.push({ file: document.file, ...document.locate(path, 'key'), severity: 'warning', message, fix });
}
