/** Which GPUs there are. One that does not open keeps the UUID it had before, so that its death has a name. */

import type { FoundGpu } from './identity.ts';
import type { Inquiry } from './inquiry.ts';
import type { KnownGpu, Progress } from './reading.ts';

/** A GPU that is there but does not say who it is. */
export interface ClosedGpu {
  readonly index: number;
  /** From an earlier round; undefined where it was never known, or cannot be told apart from others. */
  readonly uuid: string | undefined;
  readonly code: number;
}

export interface Enumeration {
  readonly found: readonly FoundGpu[];
  readonly closed: readonly ClosedGpu[];
  /** GPUs that were not to be touched, as far as they are known. */
  readonly leftOut: readonly KnownGpu[];
}

export interface EnumerationQuestion {
  readonly count: number;
  /** The last good enumeration. */
  readonly known: readonly KnownGpu[];
  readonly skip: ReadonlySet<string>;
  /** Begins an inquiry of its own for each GPU, so that a dead one does not end the round. */
  readonly inquire: () => Inquiry;
  readonly progress: Progress;
}

type Slot =
  | ({ readonly kind: 'found' } & FoundGpu)
  | { readonly kind: 'closed'; readonly index: number; readonly code: number }
  | { readonly kind: 'left out'; readonly index: number; readonly uuid: string | undefined };

/** Opens every index once. GPUs move to other indices when one disappears: only the UUID says who is who. */
export function enumerateGpus(question: EnumerationQuestion): Enumeration {
  const slots = Array.from({ length: question.count }, (_, index) => look(index, question));
  const leftOut = slots
    .filter(({ kind }) => kind === 'left out')
    .flatMap((slot) => ('uuid' in slot && slot.uuid !== undefined ? { index: slot.index, uuid: slot.uuid } : []));
  const found = slots.filter((slot) => slot.kind === 'found');
  const closed = slots.filter((slot) => slot.kind === 'closed');
  const seen = new Set([...found, ...leftOut].map(({ uuid }) => uuid));
  const unseen = question.known.filter(({ uuid }) => !seen.has(uuid));
  return {
    found,
    closed: closed.map((slot) => ({ ...slot, uuid: uuidOf(slot.index, closed.length, unseen) })),
    leftOut,
  };
}

function look(index: number, { known, skip, inquire, progress }: EnumerationQuestion): Slot {
  const before = known.find((gpu) => gpu.index === index)?.uuid;
  const name = before ?? `index:${index}`;
  if (skip.has(name)) return { kind: 'left out', index, uuid: before };
  progress(name, 'enumeration');
  const inquiry = inquire();
  const device = inquiry.ask('nvmlDeviceGetHandleByIndex_v2', index);
  if (device.value === undefined) return { kind: 'closed', index, code: device.code };
  const uuid = inquiry.ask('nvmlDeviceGetUUID', device.value);
  if (uuid.value === undefined) return { kind: 'closed', index, code: uuid.code };
  if (skip.has(uuid.value)) return { kind: 'left out', index, uuid: uuid.value };
  return { kind: 'found', index, uuid: uuid.value, device: device.value };
}

// The same index, or else the only GPU that is missing behind the only index that does not open.
function uuidOf(index: number, closed: number, unseen: readonly KnownGpu[]): string | undefined {
  const same = unseen.find((gpu) => gpu.index === index);
  if (same !== undefined) return same.uuid;
  return closed === 1 && unseen.length === 1 ? unseen[0]?.uuid : undefined;
}
