/** What an address is for. Whatever is not known to be harmless is refused. */
import ipaddr from 'ipaddr.js';
import { type Address, contains, isWithin, type Network, network } from './network.ts';

export type AddressKind =
  | { readonly kind: 'public' }
  | { readonly kind: 'loopback' }
  | { readonly kind: 'private' }
  /** No policy can allow it; `what` says what it is, with its article. */
  | { readonly kind: 'refused'; readonly what: string };

const LOOPBACK = ['127.0.0.0/8', '::1/128'].map(network);

// RFC 1918, the carrier-grade NAT of RFC 6598, and RFC 4193.
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'].map(network);

// Where clouds hand credentials to whoever asks from inside, outside 169.254.0.0/16 and fe80::/10, which are refused anyway.
const METADATA = [
  '100.100.100.200', // Alibaba Cloud
  '168.63.129.16', // Azure, the host agent
  'fd00:ec2::/32', // AWS
  'fd20:ce::254', // Google Cloud
  'fd00:c1::a9fe:a9fe', // Oracle Cloud
  'fd00:42::42', // Scaleway
  'fd00:a9fe:a9fe::1', // Akamai
].map(network);

// https://www.iana.org/assignments/ipv6-address-space: nothing else is routed.
const GLOBAL_UNICAST = network('2000::/3');

// RFC 6052: the IPv4 address is the last 32 bits.
const NAT64 = network('64:ff9b::/96');

const NAMES: Readonly<Record<string, string>> = {
  linkLocal: 'a link-local address, where clouds keep their metadata',
  unspecified: 'an unspecified address, which means this machine',
  multicast: 'a multicast address',
  broadcast: 'a broadcast address',
  '6to4': 'a 6to4 address, which hides an IPv4 address',
  teredo: 'a Teredo address, which hides an IPv4 address',
  rfc6145: 'a translated address, which hides an IPv4 address',
  rfc6052: 'a NAT64 address, which hides an IPv4 address',
};

/** What one address is for. An address that carries another, see `innermost`, is not looked into. */
export function kindOf(address: Address): AddressKind {
  if (isInAny(METADATA, address)) return { kind: 'refused', what: 'the metadata service of a cloud' };
  if (isInAny(LOOPBACK, address)) return { kind: 'loopback' };
  if (isInAny(PRIVATE, address)) return { kind: 'private' };
  const range = address.range();
  const isRouted = address.kind() === 'ipv4' || contains(GLOBAL_UNICAST, address);
  if (range === 'unicast' && isRouted) return { kind: 'public' };
  return { kind: 'refused', what: NAMES[range] ?? 'a reserved address' };
}

/** The IPv4 address that a NAT64 gateway would connect to; the address itself otherwise. */
export function innermost(address: Address): Address {
  if (!contains(NAT64, address)) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(-4));
}

/** Whether the network is one of loopback or private addresses only, so that naming it can only mean those. */
export function isOfKind(named: Network, kind: 'loopback' | 'private'): boolean {
  return (kind === 'loopback' ? LOOPBACK : PRIVATE).some((whole) => isWithin(named, whole));
}

function isInAny(networks: readonly Network[], address: Address): boolean {
  return networks.some((each) => contains(each, address));
}
