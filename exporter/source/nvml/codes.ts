/** NVML's return codes: their names, what they mean to people, and which of them say "there is no such thing here". */

import type { CallName } from './calls.ts';

interface ReturnCode {
  /** Short and stable: metrics count by it. */
  readonly name: string;
  /** Ends the sentence "the driver says that …". */
  readonly meaning: string;
}

const codes: Readonly<Record<number, ReturnCode>> = {
  0: { name: 'success', meaning: 'all is well' },
  1: { name: 'uninitialized', meaning: 'the library was not initialised, or was shut down' },
  2: { name: 'invalid_argument', meaning: 'it does not know what it was asked for' },
  3: { name: 'not_supported', meaning: 'this GPU does not have it' },
  4: { name: 'no_permission', meaning: 'this user may not ask for it' },
  5: { name: 'already_initialized', meaning: 'the library was initialised before' },
  6: { name: 'not_found', meaning: 'there is no such thing' },
  7: { name: 'insufficient_size', meaning: 'the answer does not fit into the memory it was given' },
  8: { name: 'insufficient_power', meaning: "the GPU's external power cables are not attached properly" },
  9: { name: 'driver_not_loaded', meaning: 'the kernel driver is not loaded' },
  10: { name: 'timeout', meaning: 'the time to wait is over' },
  11: { name: 'irq_issue', meaning: 'the kernel has trouble with the interrupts of the GPU' },
  12: { name: 'library_not_found', meaning: 'a part of the driver is not installed' },
  13: { name: 'function_not_found', meaning: 'this version of the driver does not have the function' },
  14: { name: 'corrupted_inforom', meaning: 'the InfoROM of the GPU is corrupted' },
  15: { name: 'gpu_is_lost', meaning: 'the GPU has fallen off the bus, or cannot be reached any more' },
  16: { name: 'reset_required', meaning: 'the GPU must be reset before it can be used again' },
  17: { name: 'operating_system', meaning: 'the operating system or a cgroup blocks the device' },
  18: { name: 'lib_rm_version_mismatch', meaning: 'library and kernel driver are of different versions' },
  19: { name: 'in_use', meaning: 'the GPU is in use' },
  20: { name: 'memory', meaning: 'there is not enough memory' },
  21: { name: 'no_data', meaning: 'there is no data' },
  22: { name: 'vgpu_ecc_not_supported', meaning: 'this cannot be had while ECC is on' },
  23: { name: 'insufficient_resources', meaning: 'it ran out of a resource other than memory' },
  24: { name: 'freq_not_supported', meaning: 'the frequency is not supported' },
  25: { name: 'argument_version_mismatch', meaning: 'it does not know this version of the structure' },
  26: { name: 'deprecated', meaning: 'the function is no longer supported' },
  27: { name: 'not_ready', meaning: 'the system is not ready yet' },
  28: { name: 'gpu_not_found', meaning: 'the GPU was not found' },
  29: { name: 'invalid_state', meaning: 'the GPU is not in a state in which this can be asked' },
  30: { name: 'reset_type_not_supported', meaning: 'this kind of reset is not supported' },
  999: { name: 'unknown', meaning: 'something went wrong inside of it' },
};

export const code = {
  success: 0,
  uninitialized: 1,
  invalidArgument: 2,
  notSupported: 3,
  noPermission: 4,
  notFound: 6,
  insufficientSize: 7,
  driverNotLoaded: 9,
  timeout: 10,
  functionNotFound: 13,
  gpuIsLost: 15,
  resetRequired: 16,
  libRmVersionMismatch: 18,
  argumentVersionMismatch: 25,
  deprecated: 26,
  gpuNotFound: 28,
} as const;

/** `gpu_is_lost`; a code that is not known is named by its number. */
export function codeName(number: number): string {
  return codes[number]?.name ?? `code_${number}`;
}

/** What a code means, to follow "the driver says that". */
export function codeMeaning(number: number): string {
  return codes[number]?.meaning ?? `code ${number}, which is not known here`;
}

// Drivers answer in these ways for what the card or they themselves do not have.
const absences: ReadonlySet<number> = new Set([
  code.notSupported,
  code.functionNotFound,
  code.argumentVersionMismatch,
  code.deprecated,
]);

// Answers that are ordinary for one call: the end of a loop, or a list that grew.
const ordinaryAnswers: Partial<Readonly<Record<CallName, readonly number[]>>> = {
  nvmlDeviceGetNvLinkState: [code.invalidArgument],
  nvmlDeviceGetMigDeviceHandleByIndex: [code.notFound, code.invalidArgument],
  nvmlDeviceGetComputeRunningProcesses_v3: [code.insufficientSize],
  nvmlDeviceGetGraphicsRunningProcesses_v3: [code.insufficientSize],
  nvmlDeviceGetMPSComputeRunningProcesses_v3: [code.insufficientSize],
  nvmlEventSetWait_v2: [code.timeout],
  // A driver that is older than a field, a threshold or an InfoROM object calls its number invalid.
  nvmlDeviceGetFieldValues: [code.invalidArgument],
  nvmlDeviceGetTemperatureThreshold: [code.invalidArgument],
  nvmlDeviceGetInforomVersion: [code.invalidArgument],
};

/**
 * Whether an answer says "not here" or "not now" rather than that something went wrong. NO_PERMISSION is not among them: the
 * reading is missing either way, but somebody can put that right, so it is counted.
 */
export function isOrdinary(call: CallName, number: number): boolean {
  return number === code.success || absences.has(number) || (ordinaryAnswers[call]?.includes(number) ?? false);
}

/** Whether the GPU itself is out of order: nothing it still says can be trusted. */
export function isGpuFailure(number: number): boolean {
  return number === code.gpuIsLost || number === code.resetRequired || number === code.gpuNotFound;
}

/** Whether the library has lost the driver: everything must be initialised anew. */
export function isSessionFailure(number: number): boolean {
  return number === code.uninitialized || number === code.driverNotLoaded || number === code.libRmVersionMismatch;
}
