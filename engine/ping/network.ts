/** Addresses and networks as sockets mean them: an IPv6 spelling of an IPv4 address is that IPv4 address. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

export interface Network {
  readonly base: Address;
  /** Length of the prefix. */
  readonly bits: number;
}

/** Undefined for all but the notations a socket takes: no octal, no short form, no brackets. */
export function parseAddress(text: string): Address | undefined {
  const address = written(text);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function written(text: string): Address | undefined {
  if (isIP(text) === 4) return ipaddr.IPv4.parse(text);
  return isIP(text) === 6 ? ipaddr.IPv6.parse(hextets(text)) : undefined;
}

// ipaddr.js reads ::1.2.3.4 as ::ffff:1.2.3.4, and a socket does not. A zone only says through which interface.
function hextets(text: string): string {
  return new URL(`http://[${text.replace(/%.*/, '')}]`).hostname.slice(1, -1);
}

/** `10.0.0.0/8`, `fd00::/8`, or one address alone. Undefined for anything else. */
function parseNetwork(text: string): Network | undefined {
  const [, address = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const base = written(address);
  if (base === undefined) return undefined;
  const widest = base.kind() === 'ipv4' ? 32 : 128;
  const bits = length === undefined ? widest : Number(length);
  if (bits > widest) return undefined;
  // The IPv4 part of ::ffff:0:0/96: kept as IPv6 it would match nothing, and a deny list would let everything pass.
  const isMapped = base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && bits >= 96;
  return isMapped ? { base: base.toIPv4Address(), bits: bits - 96 } : { base, bits };
}

/** The network of a text that was checked before. Throws on one that is none: left out, it would protect nobody. */
export function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new Error(`"${text}" is no network: write it like 10.0.0.0/8 or fd00::/8`);
  return parsed;
}

export function contains({ base, bits }: Network, address: Address): boolean {
  return base.kind() === address.kind() && address.match(base, bits);
}

export function isWithin(inner: Network, outer: Network): boolean {
  return inner.bits >= outer.bits && contains(outer, inner.base);
}
