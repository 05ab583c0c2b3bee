import { describe, expect, it } from 'vitest';
import { metrics } from '../../../exporter/metrics/catalog.ts';
import type { GpuSample } from '../../../exporter/snapshot.ts';
import { calls } from '../../../exporter/source/nvml/calls.ts';
import { fields } from '../../../exporter/source/nvml/fields.ts';
import { gpuMetrics } from '../../../exporter/source/nvml/profiling.ts';

/** Numbers in brackets, with the kind of number they are: `NVML_FI_DEV_X (3)`, `NVML_GPM_METRIC_Y (61)`. */
function numbersIn(source: string, kind: 'FI' | 'GPM'): readonly number[] {
  const text = new RegExp(`^NVML_${kind}_[^(]*\\(([\\d, ]+)\\)`).exec(source)?.[1];
  return text?.split(', ').map(Number) ?? [];
}

const callsIn = (source: string): readonly string[] => source.match(/^nvml\w+/g) ?? [];

const readingOfGpm = new Map(gpuMetrics.map(({ id, reading }) => [id, [reading]]));
const readingsOfField = new Map(fields.map(({ fieldId, feeds }) => [fieldId, Object.keys(feeds)]));

/** A GPU of which only these readings are known. */
function gpuWith(readings: readonly string[]): GpuSample {
  const identity = { index: 0, uuid: 'GPU-0', pciBusId: '00000000:07:00.0', modelName: 'A' };
  return { ...identity, ...Object.fromEntries(readings.map((reading) => [reading, 1])) };
}

describe('what the catalog says a reading is from', () => {
  it('is a call that is bound, or a field or a GPM metric that is read', () => {
    const unread = metrics.filter(({ source }) => {
      const [named, fieldIds, gpmIds] = [callsIn(source), numbersIn(source, 'FI'), numbersIn(source, 'GPM')];
      const isRead =
        named.every((call) => Object.hasOwn(calls, call)) &&
        fieldIds.every((id) => readingsOfField.has(id)) &&
        gpmIds.every((id) => readingOfGpm.has(id));
      return !isRead || named.length + fieldIds.length + gpmIds.length === 0;
    });
    expect(unread.map(({ source }) => source)).toEqual([]);
  });

  it('is the very field or GPM metric that gives the reading', () => {
    const wrong = metrics.filter(({ source, get }) => {
      const fed = [
        ...numbersIn(source, 'FI').flatMap((id) => readingsOfField.get(id) ?? []),
        ...numbersIn(source, 'GPM').flatMap((id) => readingOfGpm.get(id) ?? []),
      ];
      return fed.length > 0 && !isDerived(source) && get(gpuWith(fed)) === undefined;
    });
    expect(wrong.map(({ source }) => source)).toEqual([]);
  });

  it('is a field wherever a field gives the reading', () => {
    const fieldReadings = new Set([...readingsOfField.values()].flat());
    const silent = metrics.filter(({ source, get }) => {
      const isFromField = [...fieldReadings].some((reading) => get(gpuWith([reading])) !== undefined);
      return isFromField && numbersIn(source, 'FI').length === 0;
    });
    expect(silent.map(({ source }) => source)).toEqual([]);
  });
});

// Computed from several rounds, so that no single answer is the reading.
function isDerived(source: string): boolean {
  return source.endsWith(': change per second');
}
