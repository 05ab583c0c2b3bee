/**
 * Which GPUs and MIG instances the dcgm profile publishes, as dcgm-exporter's --devices says it: `f` is every GPU, or its instances
 * where MIG divides it; `g` are GPUs as a whole and `i` are instances, all of them or those listed after a colon, `g:0,2-3`; `g`
 * and `i` may be joined with a +.
 */

import type { GpuSample } from '../../snapshot.ts';
import { gpuInstances } from '../mig-rows.ts';
import { type DcgmEntity, flexibleEntities } from './labels.ts';

/** `all`, or the indices that were listed. */
type Indices = 'all' | ReadonlySet<number>;

export interface DeviceSelection {
  /** `f`; there are no others then. */
  readonly isFlexible: boolean;
  readonly gpus: Indices | undefined;
  /** Numbers of DCGM, see `instanceNumber`. */
  readonly instances: Indices | undefined;
}

export type DevicesResult =
  | { readonly kind: 'devices'; readonly devices: DeviceSelection }
  /** `why` completes "EXPORTER_DEVICES is "x": …". */
  | { readonly kind: 'invalid'; readonly why: string };

// As many as dcgm-exporter takes; more GPUs than any machine has.
const maxIndices = 1024;
const example = 'give f, or g and i with indices if need be, for example g:0,2-3 or g+i:0-6';

export function parseDevices(text: string): DevicesResult {
  if (text === 'f') return { kind: 'devices', devices: { isFlexible: true, gpus: undefined, instances: undefined } };
  const found: { g?: Indices; i?: Indices } = {};
  for (const part of text.split('+')) {
    const [letter, list, ...more] = part.split(':');
    if (letter === 'f') return invalid('f stands alone, without indices and without g or i');
    if (letter !== 'g' && letter !== 'i') return invalid(example);
    if (found[letter] !== undefined) return invalid(`list all indices of ${letter} after one colon: ${letter}:0,2-3`);
    if (more.length > 0) return invalid(`write one colon after ${letter}, and commas between indices`);
    const indices = list === undefined ? 'all' : parseIndices(list);
    if (typeof indices === 'object' && 'why' in indices) return invalid(indices.why);
    found[letter] = indices;
  }
  return { kind: 'devices', devices: { isFlexible: false, gpus: found.g, instances: found.i } };
}

function invalid(why: string): DevicesResult {
  return { kind: 'invalid', why };
}

function parseIndices(list: string): ReadonlySet<number> | { readonly why: string } {
  const indices = new Set<number>();
  for (const item of list.split(',')) {
    const [, first = '', last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(item) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === '')
      return { why: `${JSON.stringify(item)} is neither an index, such as 2, nor a range, such as 2-4` };
    if (from > to) return { why: `the range ${item} ends before it begins: write ${to}-${from}` };
    if (to - from >= maxIndices - indices.size) return { why: `list at most ${maxIndices} indices` };
    for (let index = from; index <= to; index++) indices.add(index);
  }
  return indices;
}

/** What of a GPU is published: the GPU as a whole, if at all, before its instances. */
export function entitiesOf({ isFlexible, gpus, instances }: DeviceSelection, gpu: GpuSample): readonly DcgmEntity[] {
  if (isFlexible) return flexibleEntities(gpu);
  const whole: DcgmEntity = { gpu, instance: undefined };
  return [
    ...(includes(gpus, gpu.index) ? [whole] : []),
    ...gpuInstances(gpu).filter((_, nth) => includes(instances, instanceNumber(gpu, nth))),
  ];
}

function includes(indices: Indices | undefined, index: number): boolean {
  return indices === 'all' || (indices?.has(index) ?? false);
}

// DCGM numbers instances over all GPUs and leaves room for eight on each, in the order in which it finds them.
function instanceNumber(gpu: GpuSample, nth: number): number {
  return gpu.index * 8 + nth;
}
