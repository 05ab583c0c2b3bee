/** What people read when a GPU or the whole driver is out of order: what is wrong, where, and what to do. */

import type { ReadFailure } from '../../snapshot.ts';
import { code, codeMeaning, codeName } from './codes.ts';

interface FailedGpu {
  readonly index: number;
  readonly uuid: string | undefined;
  readonly code: number;
}

const gpuAdvice: Readonly<Record<number, string>> = {
  [code.gpuIsLost]: 'Move work away from this node, then reboot it; if the GPU is lost again, have the card looked at.',
  [code.gpuNotFound]:
    'Move work away from this node, then reboot it; if the GPU is lost again, have the card looked at.',
  [code.resetRequired]: 'Move work away from this GPU, then reset it with nvidia-smi --gpu-reset, or reboot the node.',
  [code.noPermission]: 'Give this user access to the device nodes in /dev.',
};

const driverAdvice: Readonly<Record<number, string>> = {
  [code.driverNotLoaded]: 'Load it with modprobe nvidia, and look into dmesg if that fails.',
  [code.libRmVersionMismatch]: 'The driver was updated while it was loaded: reload it, or reboot the node.',
  [code.noPermission]: 'Give this user access to /dev/nvidiactl and the device nodes beside it.',
};

/** One GPU that gives no readings, while the others do. */
export function gpuFailure({ index, uuid, code: number }: FailedGpu): ReadFailure {
  const gpu = uuid === undefined ? `GPU ${index}` : `GPU ${index} (${uuid})`;
  const advice = gpuAdvice[number] ?? 'Look into dmesg for messages of the driver (NVRM) at this time.';
  return {
    uuid,
    reason: codeName(number),
    message: `${gpu} cannot be read: the driver says that ${codeMeaning(number)}. ${advice}`,
  };
}

/** The driver as a whole. */
export function driverFailure(number: number): { readonly reason: string; readonly message: string } {
  const advice = driverAdvice[number] ?? 'Look into dmesg for messages of the driver (NVRM) at this time.';
  const message = `No GPU can be read: the driver says that ${codeMeaning(number)}. ${advice}`;
  return { reason: codeName(number), message };
}
