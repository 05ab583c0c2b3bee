/** One simulated card: its model, its name and what makes it differ from the next. Constant for as long as the fleet lives. */

import type { GpuIdentity } from '../../snapshot.ts';
import { cycleS } from './load.ts';
import type { GpuProfile } from './profiles.ts';
import { between, hex, nodeSeed, stream, unit } from './seed.ts';

/** Where a card sits in which fleet. */
export interface Slot {
  readonly profile: GpuProfile;
  /** Seed of the fleet: a whole number from 0 to 2^32 - 1. */
  readonly seed: number;
  /** Index of the node in the fleet. */
  readonly node: number;
  /** Index of the GPU in its node. */
  readonly index: number;
}

export interface Card {
  readonly profile: GpuProfile;
  /** Seed of its node: every random course of the card is drawn from it. */
  readonly seed: number;
  readonly index: number;
  readonly identity: GpuIdentity;
  /** Serial numbers and the like are in the identity; these are temper. */
  readonly idleCelsius: number;
  readonly peakCelsius: number;
  readonly idleWatts: number;
  readonly peakWatts: number;
  /** Correctable errors of its life before the simulation. */
  readonly sbeBefore: number;
}

// PCI buses of the eight GPUs of a DGX A100; further GPUs repeat them in the next PCI domain.
const pciBuses = ['07', '0F', '47', '4E', '87', '90', 'B7', 'BD'];

/** The card in a slot: the same slot always holds the same card. */
export function cardIn(slot: Slot): Card {
  const { profile, index } = slot;
  const seed = nodeSeed(slot.seed, slot.node);
  const pick = ([low, high]: readonly [number, number], nth: number) =>
    between(low, high, unit(seed, stream.traits, index, nth));
  return {
    profile,
    seed,
    index,
    identity: identityOf(slot),
    idleCelsius: pick(profile.temperatureCelsius.idle, 0),
    peakCelsius: pick(profile.temperatureCelsius.peak, 1),
    idleWatts: pick(profile.powerWatts.idle, 2),
    peakWatts: pick(profile.powerWatts.peak, 3),
    sbeBefore: Math.floor(pick([0, 40], 4)),
  };
}

/** How far into the five-minute cycle a node is when the simulation begins: nodes do not work in step, the first begins idle. */
export function phaseOf(seed: number, node: number): number {
  return node === 0 ? 0 : Math.floor(unit(seed, stream.phase, node) * cycleS);
}

// Depends on the seed and the place only, so it outlives restarts.
function identityOf(slot: Slot): GpuIdentity {
  const { profile, index } = slot;
  const { vbios, inforomImage, oemInforom, eccInforom } = profile.versions;
  return {
    index,
    uuid: uuidOf(slot),
    pciBusId: pciBusId(index),
    modelName: profile.modelName,
    minorNumber: index,
    serial: profile.hasSerial ? serialOf(slot) : undefined,
    brand: profile.brand,
    vbiosVersion: vbios,
    inforomImageVersion: inforomImage,
    oemInforomVersion: oemInforom,
    eccInforomVersion: eccInforom,
  };
}

// Each part is drawn from a seed of its own: two nodes whose seeds happen to agree in one still differ in the others.
function uuidOf({ seed, node, index }: Slot): string {
  const part = (digits: number, nth: number) => hex(digits, nodeSeed(seed, node, nth), stream.uuid, index, nth);
  return `GPU-${part(8, 0)}-${part(4, 1)}-${part(4, 2)}-${part(4, 3)}-${part(8, 4)}${part(4, 5)}`;
}

function pciBusId(index: number): string {
  const domain = Math.floor(index / pciBuses.length)
    .toString(16)
    .toUpperCase()
    .padStart(8, '0');
  return `${domain}:${pciBuses[index % pciBuses.length]}:00.0`;
}

function serialOf({ seed, node, index }: Slot): string {
  const digits = Math.floor(unit(nodeSeed(seed, node), stream.serial, index) * 1e10);
  return `165${String(digits).padStart(10, '0')}`;
}
