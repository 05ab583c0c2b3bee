/**
 * Power, energy, and the time for which the power limit held the clocks down. Sums are exact integrals of the power without
 * the noise of its sensor.
 */

import type { GpuReadings } from '../../readings.ts';
import type { Card } from './card.ts';
import { isActive, ofKind, overlap, type Span } from './effects.ts';
import { integralOfShare, peakSeconds, type ShareFunction } from './load.ts';
import { noise, workSecondsAt } from './moment.ts';
import type { Scene } from './scene.ts';
import { between, stream } from './seed.ts';

// Noise of the power sensor, as a share of the limit: 4 W for an A100.
const noiseShare = 0.01;
const cappedShare = 0.99;

/** What acts on the power within one stretch of time. */
interface Draw extends Span {
  readonly factor: number;
  /** Undefined unless the card draws the same whatever its load. */
  readonly fixedWatts: number | undefined;
}

export function powerReadings(scene: Scene): GpuReadings {
  const { limit, min, max } = scene.card.profile.powerWatts;
  return {
    powerWatts: shownWatts(scene, stream.power),
    instantPowerWatts: shownWatts(scene, stream.instantPower),
    powerLimitWatts: limit,
    enforcedPowerLimitWatts: limit,
    defaultPowerLimitWatts: limit,
    minPowerLimitWatts: min,
    maxPowerLimitWatts: max,
    energyMillijoules: Math.floor(sumOver(scene, (draw) => joules(scene, draw)) * 1000),
  };
}

/** Whether a card that shows these watts is at its power limit. */
export function isCapped({ profile }: Card, watts: number): boolean {
  return watts >= profile.powerWatts.limit * cappedShare;
}

/** Seconds since the counters began for which the limit held the clocks down: the mean over the noise of what `isCapped` says. */
export function cappedSeconds(scene: Scene): number {
  return sumOver(scene, (draw) => cappedWithin(scene, draw));
}

function shownWatts({ card, moment, influences }: Scene, sensor: number): number {
  const { limit } = card.profile.powerWatts;
  const { factor, fixedWatts } = drawAt(card, influences, moment.atMs);
  if (fixedWatts !== undefined) return roundTo(fixedWatts, 3);
  const watts =
    between(card.idleWatts, card.peakWatts, moment.share) + noise(card, sensor, moment) * limit * noiseShare;
  return factor === 1 ? Math.min(roundTo(watts, 3), limit) : roundTo(watts * factor, 3);
}

function joules({ card, moment }: Scene, { fromMs, untilMs, factor, fixedWatts }: Draw): number {
  if (fixedWatts !== undefined) return (fixedWatts * (untilMs - fromMs)) / 1000;
  const until = (atMs: number) => quietJoules(card, workSecondsAt(atMs, moment.phaseS));
  return factor * (until(untilMs) - until(fromMs));
}

// From the start of the workload on: only differences are used.
function quietJoules(card: Card, workS: number): number {
  return card.idleWatts * workS + (card.peakWatts - card.idleWatts) * peakSeconds(workS);
}

function cappedWithin({ card, moment }: Scene, { fromMs, untilMs, factor, fixedWatts }: Draw): number {
  if (fixedWatts !== undefined) return isCapped(card, fixedWatts) ? (untilMs - fromMs) / 1000 : 0;
  const capped = cappedShareOf(card, factor);
  const until = (atMs: number) => integralOfShare(workSecondsAt(atMs, moment.phaseS), capped);
  return until(untilMs) - until(fromMs);
}

// The probability that noise lifts the power to the limit: a straight line of the share of peak, cut at 0 and at 1.
function cappedShareOf(card: Card, factor: number): ShareFunction {
  const { limit } = card.profile.powerWatts;
  const noiseWatts = limit * noiseShare * factor;
  const slope = ((card.peakWatts - card.idleWatts) * factor) / (2 * noiseWatts);
  const start = (card.idleWatts * factor + noiseWatts - limit * cappedShare) / (2 * noiseWatts);
  const line = (share: number) => start + slope * share;
  return {
    at: (share) => Math.min(1, Math.max(0, line(share))),
    integral: (share) => integralOfCut(line(share)) / slope,
  };
}

function integralOfCut(value: number): number {
  if (value <= 0) return 0;
  return value <= 1 ? value ** 2 / 2 : value - 0.5;
}

function sumOver(scene: Scene, of: (draw: Draw) => number): number {
  return drawsWithin(scene).reduce((sum, draw) => sum + of(draw), 0);
}

// The time since the counters began, cut wherever something begins or ends to act on the power.
function drawsWithin({ card, influences, span }: Scene): readonly Draw[] {
  const acting = [...ofKind(influences, 'hungry'), ...ofKind(influences, 'spike')];
  if (acting.length === 0) return [{ ...span, factor: 1, fixedWatts: undefined }];
  const within = acting.flatMap((influence) => overlap(influence, span) ?? []);
  const edges = [span.fromMs, span.untilMs, ...within.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs])];
  const sorted = [...new Set(edges)].toSorted((one, other) => one - other);
  return sorted.slice(0, -1).map((fromMs, nth) => ({
    fromMs,
    untilMs: sorted[nth + 1] ?? span.untilMs,
    ...drawAt(card, acting, fromMs),
  }));
}

function drawAt(card: Card, influences: Scene['influences'], atMs: number): Omit<Draw, keyof Span> {
  const active = influences.filter((influence) => isActive(influence, atMs));
  const spikes = ofKind(active, 'spike').map(({ effect }) => effect.timesLimit);
  return {
    factor: ofKind(active, 'hungry').reduce((factor, { effect }) => factor * effect.factor, 1),
    fixedWatts: spikes.length === 0 ? undefined : card.profile.powerWatts.limit * Math.max(...spikes),
  };
}

function roundTo(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
