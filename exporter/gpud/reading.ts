/** What the GPUd-shaped answers are made of, and what a component says about it. */

import type { CollectorState } from '../collector.ts';
import type { GpuIdentity, GpuSample, Snapshot } from '../snapshot.ts';
import type { HealthLevel, RepairAction } from './api.ts';
import type { Slowdown } from './slowdown.ts';

export interface GpudReading extends Pick<CollectorState, 'snapshot' | 'failure' | 'presence'> {
  /** Hardware slowdowns of the last days. */
  readonly slowdowns: readonly Slowdown[];
  /** What an XID means, in a few words. */
  readonly xidText: (code: number) => string;
}

export interface Verdict {
  readonly health: HealthLevel;
  readonly reason: string;
  readonly error?: string | undefined;
  readonly action?: RepairAction | undefined;
  /** Goes into `extra_info` as JSON text, in the shape of GPUd's check result. */
  readonly data?: object | undefined;
}

export interface Component {
  /** As GPUd spells it. */
  readonly name: string;
  /** Name of its state where GPUd gives it one of its own. */
  readonly stateName?: string;
  /** What it judges is known whether or not every GPU could be read. */
  readonly isAboutEvents?: true;
  /** Whether these GPUs can answer for it; a component that is not supported is not listed. */
  readonly isSupported: (snapshot: Snapshot) => boolean;
  readonly judge: (snapshot: Snapshot, reading: GpudReading, atMs: number) => Verdict;
}

/** The PCI bus id in the short form that GPUd and Linux use: `0000:0f:00.0`. */
export function shortBusId(pciBusId: string): string {
  return pciBusId.toLowerCase().replace(/^0000(?=[0-9a-f]{4}:)/, '');
}

/** The two fields that begin every entry of GPUd's data. */
export function entryOf({ uuid, pciBusId }: GpuIdentity) {
  return { uuid, bus_id: shortBusId(pciBusId) };
}

/** Whether any GPU gives this reading. */
export function someGives(...fields: readonly (keyof GpuSample)[]): (snapshot: Snapshot) => boolean {
  return ({ gpus }) => gpus.some((gpu) => fields.some((field) => gpu[field] !== undefined));
}

/** Healthy without issues; else as bad as `trouble` says, for all the reasons there are. */
export function healthyUnless(
  issues: readonly string[],
  trouble: Pick<Verdict, 'health' | 'action'>,
  well: Pick<Verdict, 'reason' | 'data'>,
): Verdict {
  return issues.length === 0
    ? { health: 'Healthy', ...well }
    : { ...trouble, reason: issues.join(', '), data: well.data };
}
