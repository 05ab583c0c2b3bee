/**
 * Every name under which DCGM knows a field. The numbers and current names are those of dcgm_fields.h of DCGM 4.6.1; the names
 * before the renaming of 4.6 and the lower-case ones of 1.x are kept as its aliases. Retired names are of headers from 2.x to
 * 4.5: they have no number any more, but counters files still list them.
 */

import names from './field-names.json' with { type: 'json' };

export interface DcgmField {
  /** Undefined for a retired name. */
  readonly id: number | undefined;
  /** The current name first. */
  readonly names: readonly string[];
}

const current: readonly DcgmField[] = Object.entries(names.fields).map(([id, spellings]) => ({
  id: Number(id),
  names: spellings,
}));
const retired: readonly DcgmField[] = names.retired.map((name) => ({ id: undefined, names: [name] }));

const byName = new Map([...current, ...retired].flatMap((field) => field.names.map((name) => [name, field] as const)));

/** The field of this name, spelt exactly; undefined when DCGM never had it. */
export function dcgmField(name: string): DcgmField | undefined {
  return byName.get(name);
}

/** All names there are or were. */
export const dcgmFieldNames: readonly string[] = [...byName.keys()];

/** Profiling fields; of these dcgm-exporter skips what the GPUs of the machine do not offer. */
export function isProfilingField({ id }: DcgmField): boolean {
  return id !== undefined && id >= 1000 && id < 1100;
}
