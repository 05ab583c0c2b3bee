/** What a family of the native profile is, apart from its series: for the code that fills it and for the metrics catalogue. */

import type { Family, Series } from '../exposition.ts';

export interface Definition {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  /** Base unit, where the name ends in it. */
  readonly unit?: string;
  readonly labels: readonly string[];
  readonly help: string;
}

export function familyOf({ name, type, unit, help }: Definition, series: readonly Series[]): Family {
  return { name, type, help, series, ...(unit === undefined ? {} : { unit }) };
}

/** Milliseconds as the seconds a metric holds. */
export function seconds(ms: number): number {
  return ms / 1000;
}
