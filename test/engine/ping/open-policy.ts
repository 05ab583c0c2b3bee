import type { AddressPolicy } from '../../../engine/ping/address-guard.ts';

/** The policy of a public service: names and addresses of the internet, and nothing inside. */
export const STRICT: AddressPolicy = {
  allowSchemes: ['http', 'https'],
  allowPorts: [],
  allowNetworks: [],
  denyNetworks: [],
  allowLoopback: false,
  allowPrivate: false,
};

/** The policy that allows most. */
export const WIDEST: AddressPolicy = { ...STRICT, allowLoopback: true, allowPrivate: true };
