/** The truth about a GPU on the clock of the exporter, whatever the clock of the scenario has done meanwhile. */

import type { ClockStretch, SimulationClock } from './clock.ts';
import { overlap, type Span } from './effects.ts';
import type { GpuPlace, Schedule } from './schedule.ts';
import { groundTruth, joined, type TruthInterval } from './truth.ts';

/**
 * Intervals of the exporter's clock within `span`, in order and without gaps from the start of the scenario on. What was
 * skipped when the clock was moved took no time.
 */
export function truthOnClock(
  schedule: Schedule,
  clock: Pick<SimulationClock, 'speed' | 'stretches'>,
  { place, span }: { readonly place: GpuPlace; readonly span: Span },
): readonly TruthInterval[] {
  const stretches = clock.stretches();
  const parts = stretches.flatMap((stretch, nth) => {
    const untilMs = stretches[nth + 1]?.realMs ?? Number.POSITIVE_INFINITY;
    const fromMs = nth === 0 ? startOf(stretch, clock.speed) : stretch.realMs;
    const part = overlap(span, { fromMs, untilMs });
    return part === undefined ? [] : truthWithin(schedule, place, { stretch, part, speed: clock.speed });
  });
  return joined(parts);
}

// The scenario may have begun before the exporter did.
function startOf({ realMs, elapsedMs }: ClockStretch, speed: number): number {
  return speed === 0 ? realMs : realMs - elapsedMs / speed;
}

function truthWithin(
  schedule: Schedule,
  place: GpuPlace,
  { stretch, part, speed }: { readonly stretch: ClockStretch; readonly part: Span; readonly speed: number },
): readonly TruthInterval[] {
  if (speed === 0) {
    const instant = { fromMs: stretch.elapsedMs, untilMs: stretch.elapsedMs + 1 };
    return groundTruth(schedule, place, instant)
      .slice(0, 1)
      .map((interval) => ({ ...interval, ...part }));
  }
  const elapsed = (realMs: number) => stretch.elapsedMs + (realMs - stretch.realMs) * speed;
  const real = (elapsedMs: number) => stretch.realMs + (elapsedMs - stretch.elapsedMs) / speed;
  const scenario = { fromMs: elapsed(part.fromMs), untilMs: elapsed(part.untilMs) };
  const truth = groundTruth(schedule, place, scenario);
  // The ends of the part are given back as they came, without the rounding of there and back.
  return truth.map((interval, nth) => ({
    ...interval,
    fromMs: nth === 0 ? part.fromMs : real(interval.fromMs),
    untilMs: nth === truth.length - 1 ? part.untilMs : real(interval.untilMs),
  }));
}
