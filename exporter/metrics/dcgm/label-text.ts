/** What a `label` row of a counters file puts onto every series of a GPU. */

import type { GpuSample } from '../../snapshot.ts';
import { labelFields } from '../catalog/label-fields.ts';
import { type Metric, plausible } from '../metric.ts';
import type { SelectedLabel } from './selection.ts';

type LabelText = SelectedLabel['get'];

const textFields = new Map(labelFields.map(({ id, get }) => [id, get] as const));

/** Numbers that are no metric of their own. */
const identityFields: Readonly<Record<number, LabelText>> = {
  52: ({ index }) => String(index),
  55: ({ minorNumber }) => minorNumber?.toString(),
};

/** What a label of the field with this number says; undefined when only DCGM could tell. */
export function labelText(id: number, metric: Metric | undefined): LabelText | undefined {
  if (metric !== undefined) return (gpu) => numberText(metric, gpu);
  return textFields.get(id) ?? identityFields[id];
}

/** A field that no gauge or counter can hold. */
export function isTextField(id: number | undefined): boolean {
  return id !== undefined && textFields.has(id);
}

// DCGM writes its whole numbers without a point and the others with six decimals.
function numberText(metric: Metric, gpu: GpuSample): string | undefined {
  const reading = plausible(metric.get(gpu), metric);
  if (reading === undefined) return undefined;
  const value = metric.dcgm?.convert?.(reading) ?? reading;
  return Number.isInteger(value) ? String(value) : value.toFixed(6);
}
