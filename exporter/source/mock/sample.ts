/** A simulated GPU as a pure function: (card, what acts on it, instant) -> readings. No clock, no state. */

import { clockEventBits } from '../../clock-event-bits.ts';
import { fabricCompleted } from '../../fabric-state.ts';
import type { GpuReadings } from '../../readings.ts';
import type { GpuSample } from '../../snapshot.ts';
import { clockReadings, engineReadings, isOccupied, linkReadings, memoryReadings } from './activity.ts';
import type { Card } from './card.ts';
import type { Influence } from './effects.ts';
import { errorReadings } from './errors.ts';
import type { Moment } from './moment.ts';
import { cappedSeconds, isCapped, powerReadings } from './power.ts';
import type { GpuProfile } from './profiles.ts';
import { activeOfKind, type Scene } from './scene.ts';
import { sensors, sentinelOf } from './sensors.ts';
import { isThrottled, thermalReadings, throttledMs } from './thermal.ts';

/** What acts on a GPU, and when the counters that live in its driver began. */
interface CardCircumstances {
  readonly influences: readonly Influence[];
  readonly countersSinceMs: number;
}

const idleBelowShare = 0.05;
const fabricSuccess = 0;

/** One GPU that answers, at one instant. */
export function sampleGpu(card: Card, moment: Moment, { influences, countersSinceMs }: CardCircumstances): GpuSample {
  const scene: Scene = { card, moment, influences, span: { fromMs: countersSinceMs, untilMs: moment.atMs } };
  const isSlow = isThrottled(scene);
  const power = powerReadings(scene);
  const sample = {
    ...card.identity,
    ...memoryReadings(scene),
    ...engineReadings(scene),
    ...linkReadings(scene),
    ...errorReadings(scene),
    ...clockReadings(scene, isSlow),
    ...thermalReadings(scene),
    ...power,
    clocksEventReasons: reasons(scene, { isSlow, isAtLimit: isCapped(card, power.powerWatts ?? 0) }),
    ...heldDown(scene),
    ...stateReadings(card.profile),
    nvlinks: card.profile.nvlink?.links,
  };
  return blanked(sample, scene);
}

function reasons(scene: Scene, { isSlow, isAtLimit }: { isSlow: boolean; isAtLimit: boolean }): number {
  const isIdle = scene.moment.share < idleBelowShare && !isOccupied(scene);
  return (
    (isIdle ? clockEventBits.gpu_idle : 0) |
    (isAtLimit ? clockEventBits.power_cap : 0) |
    (isSlow ? clockEventBits.hw_slowdown | clockEventBits.hw_thermal : 0)
  );
}

// Each reason for lower clocks counts its time twice: as a clocks event, and as a violation of the policy behind it.
function heldDown(scene: Scene): GpuReadings {
  const capped = Math.floor(cappedSeconds(scene) * 1e9);
  const throttled = Math.floor(throttledMs(scene) * 1e6);
  return {
    softwarePowerCapNanoseconds: capped,
    hardwareThermalNanoseconds: throttled,
    softwareThermalNanoseconds: 0,
    syncBoostNanoseconds: 0,
    hardwarePowerBrakeNanoseconds: 0,
    ...(scene.card.profile.brand === 'NVIDIA' ? violations(capped, throttled) : {}),
  };
}

function violations(capped: number, throttled: number): GpuReadings {
  return {
    powerViolationNanoseconds: capped,
    thermalViolationNanoseconds: throttled,
    syncBoostViolationNanoseconds: 0,
    boardLimitViolationNanoseconds: 0,
    lowUtilizationViolationNanoseconds: 0,
    reliabilityViolationNanoseconds: 0,
  };
}

function stateReadings({ performanceState, persistenceMode, hasMig, isHopper }: GpuProfile): GpuReadings {
  return {
    performanceState,
    persistenceMode,
    computeMode: 0,
    vgpuLicenseStatus: 0,
    ...(hasMig ? { migMode: 0 } : {}),
    ...(isHopper ? { fabricState: fabricCompleted, fabricStatus: fabricSuccess } : {}),
  };
}

function blanked(sample: GpuSample, scene: Scene): GpuSample {
  const fields = activeOfKind(scene, 'blank').flatMap(({ effect }) =>
    effect.sensors
      .flatMap((sensor) => sensors[sensor])
      .map((field) => [field, effect.shows === 'absent' ? undefined : sentinelOf(field)] as const),
  );
  return fields.length === 0 ? sample : { ...sample, ...Object.fromEntries(fields) };
}
