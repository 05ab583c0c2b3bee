/** How a simulated card may behave for as long as it is watched. A behaviour is a layer over the profile, the same for every model. */

import type { Effect } from './effects.ts';

export interface Behaviour {
  /** What it shows, and after how long, for people. */
  readonly what: string;
  readonly effects: readonly Effect[];
}

const never = Number.POSITIVE_INFINITY;

export const behaviours = {
  healthy: { what: 'nothing unusual', effects: [] },
  hot: {
    what: 'runs warm from the start: at peak 1 °C below its slowdown threshold, an A100 at 88 °C',
    effects: [{ kind: 'warmer', hoursToFull: 0 }],
  },
  'power-hungry': {
    what: 'draws 8 % more than its work explains from the start: at peak more than its limit, an A100 420 to 430 W',
    effects: [{ kind: 'hungry', factor: 1.08 }],
  },
  aging: {
    what: '4 correctable memory errors an hour at first, 20 after a day, 116 after a week; an uncorrectable one every 3 days; a row remapped per 256 correctable errors; clocks 2 % lower each day, at most 15 %',
    effects: [
      { kind: 'errors', correctablePerHour: 4, uncorrectablePerHour: 0, growsEveryHours: 6 },
      { kind: 'errors', correctablePerHour: 0, uncorrectablePerHour: 1 / 72, growsEveryHours: never },
      { kind: 'sagging', sharePerDay: 0.02, most: 0.15 },
    ],
  },
  flapping: {
    what: 'off the bus once in each 20 minutes for 10 to 120 s, with XID 79 each time; the first time within 15 minutes',
    effects: [{ kind: 'flapping' }],
  },
  'memory-stressed': {
    what: '91 % of the memory in use when idle and 97 % at peak, from the start',
    effects: [{ kind: 'filled', idle: 0.91, peak: 0.965 }],
  },
  'early-warning': {
    what: 'drifts up to 1 °C below its slowdown threshold within 12 hours, an A100 to 80 °C after 2 to 6 hours and past 85 °C after 8 to 11; correctable memory errors from 2 an hour to 26 in the same time',
    effects: [
      { kind: 'warmer', hoursToFull: 12 },
      { kind: 'errors', correctablePerHour: 2, uncorrectablePerHour: 0, growsEveryHours: 1 },
    ],
  },
} as const satisfies Readonly<Record<string, Behaviour>>;

export type BehaviourName = keyof typeof behaviours;

export const behaviourNames = Object.keys(behaviours) as readonly BehaviourName[];
