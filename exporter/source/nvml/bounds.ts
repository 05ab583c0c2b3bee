/** What a working sensor can say. Drivers write all ones, or worse, for values they do not have: those are missing, never 0. */

type Value = number | undefined;

const bytesPerMib = 2 ** 20;
const allOnes = 2 ** 32 - 1;

const between = (min: number, max: number) => (value: Value) =>
  value !== undefined && value >= min && value <= max ? value : undefined;

/** From 0 to 1, or one of the first small numbers that name a state. */
export const upTo = (max: number) => between(0, max);

export const flag = upTo(1);
export const percent = upTo(100);
// A fan may be driven faster than its rated speed.
export const fanPercent = upTo(200);
export const celsius = between(-100, 200);
// Cards without a sensor for the memory answer 0: here it is "unsupported", not cold.
export const memoryCelsius = between(1, 200);
export const megahertz = between(0, 10_000);
export const count = between(0, Number.MAX_SAFE_INTEGER);
/** A counter or mask of 32 bits, in which all ones stand for "not available". */
export const count32 = between(0, allOnes - 1);

/** Milliwatts in, watts out. */
export function watts(milliwatts: Value): Value {
  const value = upTo(10_000_000)(milliwatts);
  return value === undefined ? undefined : value / 1000;
}

/** Bytes in, whole mebibytes out, as DCGM rounds. */
export function mebibytes(bytes: Value): Value {
  const value = upTo(2 ** 44)(bytes);
  return value === undefined ? undefined : Math.floor(value / bytesPerMib);
}

/** Percent in, a ratio out. A little more than 100 is the measurement's rounding. */
export function ratio(percentage: Value): Value {
  const value = upTo(101)(percentage);
  return value === undefined ? undefined : Math.min(1, value / 100);
}

/** Mebibytes per second in, whole bytes per second out. */
export function bytesPerSecond(mibPerSecond: Value): Value {
  const value = upTo(10_000_000)(mibPerSecond);
  return value === undefined ? undefined : Math.trunc(value * bytesPerMib);
}
