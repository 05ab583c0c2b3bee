/** Field values: readings that share one call. One row is one field of NVML, and the readings that come out of it. */

import type { GpuReadings } from '../../readings.ts';
import { count, flag, memoryCelsius, upTo, watts } from './bounds.ts';
import type { Inquiry } from './inquiry.ts';
import type { FieldAnswer, FieldQuery } from './lists.ts';
import { type ReadingName, readingsOf } from './sensors.ts';
import type { Handle } from './slots.ts';

export interface Field extends FieldQuery {
  readonly feeds: { readonly [Name in ReadingName]?: (value: number | undefined) => number | undefined };
}

/** The scope of a field that has one value for each link: the sum over all of them. */
const allLinks = 2 ** 32 - 1;

const linkTraffic = { transmitted: 138, received: 139 };

export const fields: readonly Field[] = [
  // Drivers of the 545 branch mark this whole number as a double.
  { fieldId: 82, isUnsignedInt: true, feeds: { memoryTemperatureCelsius: memoryCelsius } },
  { fieldId: 186, feeds: { instantPowerWatts: watts } },

  { fieldId: 74, feeds: { powerViolationNanoseconds: count, softwarePowerCapNanoseconds: count } },
  { fieldId: 75, feeds: { thermalViolationNanoseconds: count } },
  { fieldId: 76, feeds: { syncBoostViolationNanoseconds: count, syncBoostNanoseconds: count } },
  { fieldId: 77, feeds: { boardLimitViolationNanoseconds: count } },
  { fieldId: 78, feeds: { lowUtilizationViolationNanoseconds: count } },
  { fieldId: 79, feeds: { reliabilityViolationNanoseconds: count } },
  { fieldId: 269, feeds: { softwareThermalNanoseconds: count } },
  { fieldId: 270, feeds: { hardwareThermalNanoseconds: count } },
  { fieldId: 271, feeds: { hardwarePowerBrakeNanoseconds: count } },

  { fieldId: 3, feeds: { eccSbeVolatile: count } },
  { fieldId: 4, feeds: { eccDbeVolatile: count } },
  { fieldId: 5, feeds: { eccSbeAggregate: count } },
  { fieldId: 6, feeds: { eccDbeAggregate: count } },
  { fieldId: 29, feeds: { retiredPagesSbe: count } },
  { fieldId: 30, feeds: { retiredPagesDbe: count } },
  { fieldId: 31, feeds: { retiredPagesPending: flag } },

  { fieldId: 38, feeds: { nvlinkCrcFlitErrors: count } },
  { fieldId: 45, feeds: { nvlinkCrcDataErrors: count } },
  { fieldId: 52, feeds: { nvlinkReplayErrors: count } },
  { fieldId: 59, feeds: { nvlinkRecoveryErrors: count } },
  { fieldId: linkTraffic.transmitted, scopeId: allLinks, feeds: { nvlinkTransmitKib: count } },
  { fieldId: linkTraffic.received, scopeId: allLinks, feeds: { nvlinkReceiveKib: count } },

  // A driver may come to know more actions; none of them may be lost.
  { fieldId: 230, feeds: { recoveryAction: upTo(255) } },
];

const queries: readonly FieldQuery[] = fields.map(({ feeds, ...query }) => query);

export interface FieldReadings {
  readonly readings: GpuReadings;
  /** When the driver counted the traffic of the links, in microseconds since the epoch; undefined where it does not say. */
  readonly linkTrafficAtUs: number | undefined;
}

/** Every reading the field values of a device can give. */
export function readFields(inquiry: Inquiry, device: Handle): FieldReadings {
  const answers = askFields(inquiry, device);
  const readings = fields.map(({ feeds }, index) => readingsOf(feeds, answers[index]?.value));
  const received = answers[fields.findIndex(({ fieldId }) => fieldId === linkTraffic.received)];
  return { readings: Object.assign({}, ...readings), linkTrafficAtUs: received?.takenAtUs };
}

/** The answer to each field, in the order of the table; both the call and each of its values can fail. */
export function askFields(inquiry: Inquiry, device: Handle): readonly FieldAnswer[] {
  const answer = inquiry.ask('nvmlDeviceGetFieldValues', device, queries);
  for (const field of answer.value ?? []) inquiry.note('nvmlDeviceGetFieldValues', field.code);
  return answer.value ?? queries.map((query) => unanswered(query, answer.code));
}

function unanswered({ fieldId, scopeId = 0 }: FieldQuery, code: number): FieldAnswer {
  return { fieldId, scopeId, code, value: undefined, takenAtUs: undefined };
}
