/** The URL an agent registers with, read once and in one spelling: what is judged is exactly what will be asked. */
import { isIP } from 'node:net';
import type { AddressGuard } from './address-guard.ts';

export type AgentUrl =
  /** `base` has no slash at its end; `host` is a name, or an address without brackets. */
  | { readonly kind: 'fit'; readonly base: string; readonly host: string }
  /** Sentences for whoever registered it. */
  | { readonly kind: 'unfit'; readonly problem: string; readonly fix: string };

interface Misspelling {
  readonly pattern: RegExp;
  readonly problem: string;
  readonly fix: string;
}

const MAX_LENGTH = 2048;
const EXAMPLE = 'write it like http://agent-host:8001 or https://agents.example.org/gpu-7';

// The URL parser would quietly repair these, and other programs repair them to something else.
const MISSPELLINGS: readonly Misspelling[] = [
  { pattern: /[\s\p{C}]/u, problem: 'it contains a blank or an invisible character', fix: 'remove it' },
  { pattern: /\\/, problem: 'it contains a backslash', fix: 'write / between the parts' },
  { pattern: /^(?![^:/?#]+:\/\/[^/])/, problem: 'it is not scheme://host', fix: EXAMPLE },
  { pattern: /^[^/]*\/\/[^/?#]*@/, problem: 'it contains a user name', fix: 'remove everything between // and @' },
  { pattern: /[?#]/, problem: 'it contains a ? or a #', fix: 'end it with the path: the engine adds what it asks' },
];

const NAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
const MAX_NAME = 253;

/**
 * Reads and judges an agent's URL; a path in it is a prefix. Hosts that are addresses in any spelling, octal, decimal or
 * Unicode, are judged at once; names are judged by the addresses they resolve to, at every ping.
 */
export function readAgentUrl(text: string, guard: AddressGuard): AgentUrl {
  if (text.length > MAX_LENGTH) return unfit(`it is longer than ${MAX_LENGTH} characters`, EXAMPLE);
  const misspelling = MISSPELLINGS.find(({ pattern }) => pattern.test(text));
  if (misspelling !== undefined) return unfit(misspelling.problem, misspelling.fix);
  const scheme = text.slice(0, text.indexOf(':')).toLowerCase();
  const schemeProblem = guard.schemeProblem(scheme);
  if (schemeProblem !== undefined) return unfit(schemeProblem, 'register a URL of an allowed scheme');
  return URL.canParse(text) ? judged(new URL(text), guard) : unfit('its host or port cannot be read', EXAMPLE);
}

function judged(url: URL, guard: AddressGuard): AgentUrl {
  const host = url.hostname.replace(/^\[|\]$|\.+$/g, '');
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const portProblem = guard.portProblem(port);
  if (portProblem !== undefined) return unfit(portProblem, 'let the agent listen on an allowed port');
  if (isIP(host) === 0 && !isName(host)) return unfit(`"${host}" is not a host name`, EXAMPLE);
  const addressProblem = knownAddresses(host).map(guard.addressProblem).find(isSentence);
  if (addressProblem !== undefined) return unfit(addressProblem, 'register another address');
  return { kind: 'fit', base: baseOf(url, host), host };
}

function isName(host: string): boolean {
  return host.length <= MAX_NAME && NAME.test(host);
}

// RFC 6761: localhost and the names below it are this machine, whatever a resolver says.
function knownAddresses(host: string): readonly string[] {
  if (isIP(host) !== 0) return [host];
  return /(^|\.)localhost$/.test(host) ? ['127.0.0.1'] : [];
}

function isSentence(text: string | undefined): text is string {
  return text !== undefined;
}

// A dot at the end of the name is not part of what certificates say.
function baseOf({ protocol, port, pathname }: URL, host: string): string {
  const bracketed = isIP(host) === 6 ? `[${host}]` : host;
  return `${protocol}//${bracketed}${port === '' ? '' : `:${port}`}${pathname.replace(/\/+$/, '')}`;
}

function unfit(problem: string, fix: string): AgentUrl {
  return { kind: 'unfit', problem, fix };
}
