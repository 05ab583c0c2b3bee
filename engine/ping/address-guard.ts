/** Whom an agent may be asked at: its URL comes from the network, and the engine must not become anybody's proxy. */
import type { PingPolicy } from '../core/ping/policy.ts';
import { innermost, isOfKind, kindOf } from './address-kind.ts';
import { type Address, contains, type Network, network, parseAddress } from './network.ts';

/** The part of the policy that says whom pings may reach. */
export type AddressPolicy = PingPolicy['targets'];

/** Each answer is undefined, or the sentence that says why not. */
export interface AddressGuard {
  schemeProblem(scheme: string): string | undefined;
  portProblem(port: number): string | undefined;
  /** For an address as a resolver or a URL's hostname spells it. */
  addressProblem(address: string): string | undefined;
}

interface Networks {
  readonly allowed: readonly Network[];
  readonly denied: readonly Network[];
}

/**
 * A guard for one policy. Link-local, metadata, multicast and reserved addresses are refused whatever the policy says; a
 * denied network outranks an allowed one. Loopback and private addresses need their flag, or a network of nothing else in
 * `allowNetworks`: 0.0.0.0/0 is not enough. Throws on a network that is none: the policy was to be checked before.
 */
export function addressGuard(policy: AddressPolicy): AddressGuard {
  const networks = { allowed: policy.allowNetworks.map(network), denied: policy.denyNetworks.map(network) };
  return {
    schemeProblem: (scheme) => (isAllowedScheme(policy, scheme) ? undefined : schemeSentence(policy, scheme)),
    portProblem: (port) => (isAllowedPort(policy, port) ? undefined : portSentence(policy, port)),
    addressProblem: (text) => {
      const address = parseAddress(text);
      const why = address === undefined ? 'is no address' : reasonAgainst(address, policy, networks);
      return why && `${text} ${why}`;
    },
  };
}

function isAllowedScheme({ allowSchemes }: AddressPolicy, scheme: string): boolean {
  return ['http', 'https'].includes(scheme) && allowSchemes.includes(scheme);
}

function schemeSentence({ allowSchemes }: AddressPolicy, scheme: string): string {
  return `${scheme} is not among the schemes of ping.allow_schemes (${allowSchemes.join(', ')})`;
}

function isAllowedPort({ allowPorts }: AddressPolicy, port: number): boolean {
  return allowPorts.length > 0 ? allowPorts.includes(port) : port === 80 || port === 443 || port >= 1024;
}

function portSentence({ allowPorts }: AddressPolicy, port: number): string {
  const allowed = allowPorts.length > 0 ? allowPorts.join(', ') : '80, 443, 1024 and up';
  return `port ${port} is not among those of ping.allow_ports (${allowed})`;
}

function reasonAgainst(outer: Address, policy: AddressPolicy, { allowed, denied }: Networks): string | undefined {
  const address = innermost(outer);
  const isNamedBy = (each: Network) => contains(each, address) || contains(each, outer);
  const kind = kindOf(address);
  if (kind.kind === 'refused') return `is ${kind.what}, which no policy can allow`;
  const denial = denied.find(isNamedBy);
  if (denial !== undefined) return `lies in ${cidr(denial)}, which ping.deny_networks lists`;
  const naming = allowed.filter(isNamedBy);
  if (allowed.length > 0 && naming.length === 0) return 'lies in no network of ping.allow_networks';
  return kind.kind === 'public' ? undefined : unlessAllowed(kind.kind, policy, naming);
}

function unlessAllowed(
  kind: 'loopback' | 'private',
  { allowLoopback, allowPrivate }: AddressPolicy,
  naming: readonly Network[],
): string | undefined {
  const isFlagged = kind === 'loopback' ? allowLoopback : allowPrivate;
  if (isFlagged || naming.some((each) => isOfKind(each, kind))) return undefined;
  return `is a ${kind} address, which the policy allows only with ping.allow_${kind}, or with its network in ping.allow_networks`;
}

function cidr({ base, bits }: Network): string {
  return `${base}/${bits}`;
}
