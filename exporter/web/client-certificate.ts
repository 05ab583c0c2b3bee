/** Which client certificates are let in. Pure: the certificate has been parsed and its signatures checked before. */

import ipaddr from 'ipaddr.js';
import type { TlsSettings } from './tls-settings.ts';

export interface Peer {
  /** As node:crypto writes it; undefined for a certificate without one. */
  readonly subjectAltName: string | undefined;
  /** Whether a known authority signed it and it is in date. */
  readonly isVerified: boolean;
}

type ClientRules = Pick<TlsSettings, 'clientAuth' | 'allowedSans'>;

/** Why the client may not come in; undefined where it may. `peer` is undefined without a certificate. */
export function clientRefusal({ clientAuth, allowedSans }: ClientRules, peer: Peer | undefined): string | undefined {
  if (clientAuth === 'NoClientCert') return undefined;
  const isNeeded = clientAuth === 'RequireAnyClientCert' || clientAuth === 'RequireAndVerifyClientCert';
  // A list of names asks for a certificate, whatever the type says.
  if (peer === undefined) return isNeeded || allowedSans !== undefined ? 'it sent no certificate' : undefined;
  const isChecked = clientAuth === 'VerifyClientCertIfGiven' || clientAuth === 'RequireAndVerifyClientCert';
  if (isChecked && !peer.isVerified) return 'its certificate is not from a known authority, or not in date';
  if (allowedSans === undefined || namesIn(peer.subjectAltName).some((name) => allowedSans.includes(name)))
    return undefined;
  return 'its certificate has none of the names in client_allowed_sans';
}

// Sticky: where one entry does not follow another, reading ends, so that no value can pass for an entry.
const entries = /(?<kind>[A-Za-z ]+):(?<value>"(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/gy;

/** The names in a subject alternative name: DNS, e-mail, URI and IP addresses, as Go writes them. */
export function namesIn(subjectAltName = ''): readonly string[] {
  return [...subjectAltName.matchAll(entries)]
    .map(({ groups }) => nameOf(groups?.kind, groups?.value ?? ''))
    .filter((name) => name !== undefined);
}

function nameOf(kind: string | undefined, value: string): string | undefined {
  // Node quotes a value that could be mistaken for several.
  const name = value.startsWith('"') ? unquoted(value) : value;
  if (kind === 'DNS' || kind === 'email' || kind === 'URI') return name;
  return kind === 'IP Address' && ipaddr.isValid(name) ? canonicalAddress(name) : undefined;
}

function unquoted(value: string): string {
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}

function canonicalAddress(address: string): string {
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString();
}
