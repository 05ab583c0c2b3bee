/** Temperatures, fans, and the time for which heat held the clocks down. */

import type { GpuReadings } from '../../readings.ts';
import type { Card } from './card.ts';
import { isActive, ofKind, overlap, type Span } from './effects.ts';
import { noise } from './moment.ts';
import { activeOfKind, type Scene } from './scene.ts';
import { between, stream } from './seed.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
/** What a ramp without a goal heats to: far enough above the threshold to be seen. */
const aboveSlowdownCelsius = 3;
const memoryIsWarmerCelsius = 4;

export function thermalReadings(scene: Scene): GpuReadings {
  const { thresholdsCelsius, fanPercent } = scene.card.profile;
  const die = dieCelsius(scene);
  const ramp = rampCelsius(scene);
  const shown = (celsius: number) => Math.max(Math.round(celsius), ramp);
  const gpuTemperatureCelsius = shown(die);
  return {
    gpuTemperatureCelsius,
    memoryTemperatureCelsius:
      thresholdsCelsius.maxMemory === undefined ? undefined : shown(die + memoryIsWarmerCelsius),
    slowdownTemperatureCelsius: thresholdsCelsius.slowdown,
    shutdownTemperatureCelsius: thresholdsCelsius.shutdown,
    maxGpuTemperatureCelsius: thresholdsCelsius.maxGpu,
    maxMemoryTemperatureCelsius: thresholdsCelsius.maxMemory,
    fanSpeedPercent: fanPercent && fanSpeed(fanPercent, scene.card, gpuTemperatureCelsius),
  };
}

/** Whether heat holds the clocks down now. */
export function isThrottled(scene: Scene): boolean {
  return throttledSpans(scene).some((span) => isActive(span, scene.moment.atMs));
}

/** Milliseconds since the counters began in which heat held the clocks down. */
export function throttledMs(scene: Scene): number {
  return lengthOfUnion(throttledSpans(scene).flatMap((throttled) => overlap(throttled, scene.span) ?? []));
}

// Only a ramp gets that hot: cards that merely run warm stay below their slowdown threshold.
function throttledSpans({ card, influences }: Scene): readonly Span[] {
  const { slowdown } = card.profile.thresholdsCelsius;
  return ofKind(influences, 'ramp').flatMap(({ effect, fromMs, untilMs }) => {
    if (goal(card, effect.toCelsius) < slowdown) return [];
    const heatingMs = (Math.max(0, slowdown - card.idleCelsius) / effect.celsiusPerMinute) * minuteMs;
    return overlap({ fromMs: fromMs + heatingMs, untilMs: Number.POSITIVE_INFINITY }, { fromMs, untilMs }) ?? [];
  });
}

function dieCelsius(scene: Scene): number {
  const { card, moment } = scene;
  const quiet = between(card.idleCelsius, card.peakCelsius, moment.warmth);
  const celsius = quiet + noise(card, stream.temperature, moment) * 0.4 + addedCelsius(scene);
  return Math.min(celsius, card.profile.thresholdsCelsius.slowdown - 1);
}

function addedCelsius(scene: Scene): number {
  const { card, moment } = scene;
  const fullCelsius = card.profile.thresholdsCelsius.slowdown - 1 - card.peakCelsius;
  const grown = activeOfKind(scene, 'warmer').map(({ effect: { hoursToFull }, fromMs }) =>
    hoursToFull === 0 ? 1 : Math.min(1, (moment.atMs - fromMs) / (hoursToFull * hourMs)),
  );
  return fullCelsius * Math.max(0, ...grown);
}

// Whole degrees, rounded down: the card shows its threshold from exactly the instant at which it is reached.
function rampCelsius(scene: Scene): number {
  const { card, moment } = scene;
  const heights = activeOfKind(scene, 'ramp').map(({ effect, fromMs }) => {
    const heated = card.idleCelsius + ((moment.atMs - fromMs) / minuteMs) * effect.celsiusPerMinute;
    return Math.floor(Math.min(goal(card, effect.toCelsius), heated));
  });
  return Math.max(0, ...heights);
}

function goal(card: Card, toCelsius: number | undefined): number {
  return toCelsius ?? card.profile.thresholdsCelsius.slowdown + aboveSlowdownCelsius;
}

function fanSpeed({ idle, peak }: { idle: number; peak: number }, card: Card, celsius: number): number {
  const share = (celsius - card.idleCelsius) / (card.peakCelsius - card.idleCelsius);
  return Math.round(Math.min(100, Math.max(idle, between(idle, peak, share))));
}

function lengthOfUnion(spans: readonly Span[]): number {
  let coveredMs = 0;
  let endMs = Number.NEGATIVE_INFINITY;
  for (const { fromMs, untilMs } of spans.toSorted((one, other) => one.fromMs - other.fromMs)) {
    coveredMs += Math.max(0, untilMs - Math.max(fromMs, endMs));
    endMs = Math.max(endMs, untilMs);
  }
  return coveredMs;
}
