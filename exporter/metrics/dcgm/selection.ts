/** Which counters the dcgm profile publishes: what a counters file says, or the default. */

import type { GpuSample, Snapshot } from '../../snapshot.ts';
import type { Metric } from '../metric.ts';

export type ExpressionField =
  | 'DCGM_EXP_XID_ERRORS_COUNT'
  | 'DCGM_EXP_XID_ERRORS_TOTAL'
  | 'DCGM_EXP_CLOCK_EVENTS_COUNT'
  | 'DCGM_EXP_CLOCK_EVENTS_TOTAL';

export interface SelectedCounter {
  /** As the file writes it: an alias stays an alias on the wire. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'untyped';
  readonly help: string;
  readonly metric: Metric;
}

export interface SelectedExpression {
  readonly field: ExpressionField;
  readonly type: 'gauge' | 'counter' | 'untyped';
  readonly help: string;
}

/** A `label` row: its value goes onto every series of the GPU. */
export interface SelectedLabel {
  readonly name: string;
  readonly get: (gpu: GpuSample, snapshot: Snapshot) => string | undefined;
}

export interface CounterSelection {
  readonly counters: readonly SelectedCounter[];
  readonly expressions: readonly SelectedExpression[];
  readonly labels: readonly SelectedLabel[];
}
