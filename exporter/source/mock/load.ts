/** The five-minute workload cycle, its running sums, and the warmth that trails behind it. All pure, all in seconds. */

interface Segment {
  readonly startS: number;
  readonly lengthS: number;
  readonly from: number;
  readonly to: number;
}

/** A function of the share of peak, and what it sums up to from 0. */
export interface ShareFunction {
  readonly at: (share: number) => number;
  /** Integral of `at` over the share; any constant may be added. */
  readonly integral: (share: number) => number;
}

const idleLoad = 0.1;
const peakLoad = 0.9;

/** Length of the cycle. */
export const cycleS = 300;

/** How fast a die follows its load: 63 % of a step within this time. */
const thermalLagS = 15;

const cycle: readonly Segment[] = [
  { startS: 0, lengthS: 60, from: idleLoad, to: idleLoad },
  { startS: 60, lengthS: 60, from: idleLoad, to: peakLoad },
  { startS: 120, lengthS: 120, from: peakLoad, to: peakLoad },
  { startS: 240, lengthS: 60, from: peakLoad, to: idleLoad },
];

/** Load at an instant: 0.1 idle, 0.9 at peak. */
export function loadAt(elapsedS: number): number {
  const phaseS = elapsedS % cycleS;
  const segment = segmentAt(phaseS);
  return segment.from + slope(segment) * (phaseS - segment.startS);
}

/** Seconds at full peak that would do the work done so far: the exact integral of `shareOfPeak(loadAt)` from 0. */
export function peakSeconds(elapsedS: number): number {
  const phaseS = elapsedS % cycleS;
  const wholeCycles = Math.round((elapsedS - phaseS) / cycleS);
  const loadSeconds = wholeCycles * integralWithin(cycleS) + integralWithin(phaseS);
  return (loadSeconds - idleLoad * elapsedS) / (peakLoad - idleLoad);
}

/** The exact integral of `loadAt` from 0. */
export function loadSeconds(elapsedS: number): number {
  return idleLoad * elapsedS + (peakLoad - idleLoad) * peakSeconds(elapsedS);
}

/** The exact integral over time, from 0, of a function of the share of peak. */
export function integralOfShare(elapsedS: number, f: ShareFunction): number {
  const phaseS = elapsedS % cycleS;
  const wholeCycles = Math.round((elapsedS - phaseS) / cycleS);
  return wholeCycles * shareIntegralWithin(cycleS, f) + shareIntegralWithin(phaseS, f);
}

/** Load as the die feels it: `loadAt` through a first-order lag, as if the cycle had always been running. */
export function warmthAt(elapsedS: number): number {
  const phaseS = elapsedS % cycleS;
  const current = segmentAt(phaseS);
  const before = cycle.filter((segment) => segment.startS < current.startS);
  const atStart = before.reduce((warmth, segment) => warmthAfter(segment, segment.lengthS, warmth), cycleStartWarmth);
  return warmthAfter(current, phaseS - current.startS, atStart);
}

/** Maps a load onto 0 (idle) to 1 (peak). */
export function shareOfPeak(load: number): number {
  return (load - idleLoad) / (peakLoad - idleLoad);
}

function segmentAt(phaseS: number): Segment {
  const found = cycle.findLast((segment) => segment.startS <= phaseS);
  if (found === undefined) throw new RangeError(`elapsed time must be 0 or more, got phase ${phaseS} s`);
  return found;
}

function slope(segment: Segment): number {
  return (segment.to - segment.from) / segment.lengthS;
}

function integralWithin(phaseS: number): number {
  return cycle.reduce((sum, segment) => {
    const spentS = spentIn(segment, phaseS);
    return sum + segment.from * spentS + (slope(segment) * spentS ** 2) / 2;
  }, 0);
}

function shareIntegralWithin(phaseS: number, { at, integral }: ShareFunction): number {
  return cycle.reduce((sum, segment) => {
    const spentS = spentIn(segment, phaseS);
    const share = shareOfPeak(segment.from);
    const sharePerS = slope(segment) / (peakLoad - idleLoad);
    // On a straight line the time goes with the share: the integral over time is that over the share, stretched.
    if (sharePerS === 0) return sum + at(share) * spentS;
    return sum + (integral(share + sharePerS * spentS) - integral(share)) / sharePerS;
  }, 0);
}

function spentIn(segment: Segment, phaseS: number): number {
  return Math.min(Math.max(phaseS - segment.startS, 0), segment.lengthS);
}

// Solves w' = (load - w) / lag on one segment, where the load is a straight line.
function warmthAfter(segment: Segment, spentS: number, atStart: number): number {
  const trailing = segment.from - slope(segment) * thermalLagS;
  return trailing + slope(segment) * spentS + (atStart - trailing) * Math.exp(-spentS / thermalLagS);
}

// One cycle maps the warmth at its start to decay * start + gain; the steady state is the start that maps to itself.
const cycleStartWarmth = steadyStart();

function steadyStart(): number {
  const gain = cycle.reduce((warmth, segment) => warmthAfter(segment, segment.lengthS, warmth), 0);
  return gain / (1 - Math.exp(-cycleS / thermalLagS));
}
