/** The resolver of the system, which knows /etc/hosts and search domains, as pings may use it. */
import { lookup } from 'node:dns/promises';
import { inLanes } from './lookup-lanes.ts';
import type { LookUp } from './name-lookup.ts';

/** A name server nearby answers in milliseconds, one at the other end of the world in a few hundred. */
const SLOW_MS = 1000;
/** More than agents have names. */
const MOST_SLOW = 10_000;

/** It cannot be stopped, and libuv gives it no more than half of its threads, whose number is `UV_THREADPOOL_SIZE`. */
export function systemLookUp(threads = process.env.UV_THREADPOOL_SIZE): LookUp {
  const elapsed = () => performance.now();
  return inLanes({ resolve: addressesOf, ...slotsOf(threads), slowMs: SLOW_MS, mostSlow: MOST_SLOW, elapsed });
}

const DEFAULT_THREADS = 4;
const MOST_THREADS = 1024;

export function slotsOf(threads: string | undefined): { readonly slots: number; readonly slowSlots: number } {
  const known = Math.min(Math.max(Number(threads ?? DEFAULT_THREADS) || 1, 1), MOST_THREADS);
  const slots = Math.max(2, Math.floor(known / 2));
  return { slots, slowSlots: Math.max(1, Math.floor(slots / 4)) };
}

async function addressesOf(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
