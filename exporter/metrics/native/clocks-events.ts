/** Why the clocks are where they are: one series per reason, in place of NVML's bit mask. */

import { clockEventBits } from '../../clock-event-bits.ts';
import type { GpuSample } from '../../snapshot.ts';
import { bitMask } from '../catalog/kind.ts';
import type { Family, Series } from '../exposition.ts';
import { plausible } from '../metric.ts';
import { type Definition, familyOf } from './definition.ts';

export const clocksEventDefinition: Definition = {
  name: 'gpu_clocks_event_active',
  type: 'gauge',
  labels: ['uuid', 'reason'],
  help: 'Whether this is a reason for the present clocks; all but gpu_idle and the settings mean that something holds them down.',
};

export function clocksEventFamily(gpus: readonly GpuSample[]): Family {
  return familyOf(clocksEventDefinition, gpus.flatMap(seriesOf));
}

function seriesOf({ uuid, clocksEventReasons }: GpuSample): readonly Series[] {
  const mask = plausible(clocksEventReasons, bitMask);
  if (mask === undefined) return [];
  return Object.entries(clockEventBits).map(([reason, bit]) => ({
    labels: { uuid, reason },
    value: (mask & bit) === 0 ? 0 : 1,
  }));
}
