/** Whether a host is this machine: what listens on loopback here can be reached from nowhere else. */
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

/** Undefined when the name cannot be resolved. */
export async function isThisMachine(host: string): Promise<boolean | undefined> {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? []);
  const isOwn = (address: string) => own.includes(address) || /^(127\.|::1$)/.test(address);
  try {
    const addresses = await lookup(host.replace(/^\[|\]$/g, ''), { all: true });
    return addresses.every(({ address }) => isOwn(address));
  } catch {
    return undefined;
  }
}
