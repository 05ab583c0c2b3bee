/** From a host to the addresses that may be connected to. A name is resolved once per ping, and never again on the way. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { AddressGuard } from './address-guard.ts';

/** All addresses of a name; rejects when there are none. */
export type LookUp = (name: string) => Promise<readonly string[]>;

export type HostAddresses =
  | { readonly kind: 'allowed'; readonly addresses: readonly string[] }
  | { readonly kind: 'forbidden'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

// A name with a thousand addresses must not make the engine knock at a thousand doors.
const MAX_ADDRESSES = 4;

/**
 * The addresses of a host, all of them judged: one that is forbidden refuses all, because the name's owner chose it.
 * Never throws.
 */
export async function allowedAddresses(host: string, guard: AddressGuard, lookUp: LookUp): Promise<HostAddresses> {
  try {
    const addresses = isIP(host) === 0 ? await lookUp(host) : [host];
    const problem = addresses.map(guard.addressProblem).find((sentence) => sentence !== undefined);
    if (problem !== undefined) return { kind: 'forbidden', reason: isIP(host) === 0 ? `${host}: ${problem}` : problem };
    if (addresses.length === 0) return { kind: 'unknown', reason: `${host} has no address` };
    return { kind: 'allowed', addresses: addresses.slice(0, MAX_ADDRESSES) };
  } catch (error) {
    return { kind: 'unknown', reason: `${host} cannot be resolved: ${codeOf(error)}` };
  }
}

/**
 * The resolver of the system, which knows /etc/hosts and search domains. It cannot be stopped and has few threads: a name
 * whose server is slow is asked for once, however many pings wait for it.
 */
export function systemLookUp(): LookUp {
  const underWay = new Map<string, Promise<readonly string[]>>();
  return (name) => {
    const asked = underWay.get(name) ?? addressesOf(name).finally(() => underWay.delete(name));
    underWay.set(name, asked);
    return asked;
  };
}

async function addressesOf(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}
