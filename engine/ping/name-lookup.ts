/** From a host to the addresses that may be connected to. A name is resolved once per ping, and never again on the way. */
import { isIP } from 'node:net';
import type { AddressGuard } from './address-guard.ts';

/** Who waits for the addresses of a name. */
export interface Asker {
  /** Fires when the answer is not needed any more. */
  readonly signal: AbortSignal;
  /** Told when the lookup has to wait for its turn, and when its turn has come. One that never waits need not tell. */
  readonly onTurn: (hasTurn: boolean) => void;
}

/** All addresses of a name; rejects when there are none. */
export type LookUp = (name: string, asker: Asker) => Promise<readonly string[]>;

export type HostAddresses =
  | { readonly kind: 'allowed'; readonly addresses: readonly string[] }
  /** The host is an address that may not be asked. */
  | { readonly kind: 'forbidden'; readonly reason: string }
  /** The name leads nowhere, or where it may not: its owner chose that. */
  | { readonly kind: 'unknown'; readonly reason: string };

// A name with a thousand addresses must not make the engine knock at a thousand doors.
const MAX_ADDRESSES = 4;

/** The addresses of a host, all of them judged: one that is forbidden refuses all. Never throws. */
export async function allowedAddresses(
  host: string,
  guard: AddressGuard,
  lookUp: (name: string) => Promise<readonly string[]>,
): Promise<HostAddresses> {
  const isName = isIP(host) === 0;
  try {
    const addresses = isName ? await lookUp(host) : [host];
    const problem = addresses.map(guard.addressProblem).find((sentence) => sentence !== undefined);
    if (problem !== undefined && !isName) return { kind: 'forbidden', reason: problem };
    if (problem !== undefined)
      return { kind: 'unknown', reason: `${host} leads where the engine may not ask: ${problem}` };
    if (addresses.length === 0) return { kind: 'unknown', reason: `${host} has no address` };
    return { kind: 'allowed', addresses: addresses.slice(0, MAX_ADDRESSES) };
  } catch (error) {
    return { kind: 'unknown', reason: `${host} cannot be resolved: ${codeOf(error)}` };
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}

/** How long a lookup has waited for its turn. */
export class TurnWait {
  #sinceMs: number | undefined;
  #waitedMs = 0;

  readonly onTurn = (hasTurn: boolean): void => {
    this.#waitedMs = this.ms;
    this.#sinceMs = hasTurn ? undefined : performance.now();
  };

  get ms(): number {
    return this.#waitedMs + (this.#sinceMs === undefined ? 0 : performance.now() - this.#sinceMs);
  }
}
