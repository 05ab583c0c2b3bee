/** NVML itself, the one file that calls native code. Everything else sees the port. */

import koffi, { type LibraryHandle } from 'koffi';
import { messageOf } from '../../message-of.ts';
import { type CallArguments, type CallName, type CallValue, calls } from './calls.ts';
import type { CallRow, CValue, Handle, Packed } from './slots.ts';

/** What a call came to. `code` is NVML's own; unless it is 0 there is no value, nor is there one for a blank number of 64 bits. */
export interface Answer<T> {
  readonly code: number;
  readonly value: T | undefined;
}

/** What can be asked of NVML. Nothing here throws for an answer of the driver: its code is the answer. */
export interface NvmlLibrary {
  /** The file it was loaded from. */
  readonly path: string;
  /** Blocks until the driver answers. A symbol this driver does not have answers FUNCTION_NOT_FOUND (13). */
  call<Name extends CallName>(name: Name, ...args: CallArguments<Name>): Answer<CallValue<Name>>;
  /**
   * Waits on a thread of its own for an event of the set; TIMEOUT (10) is the normal answer. The device of an event is a
   * handle, the data of an XID event is its code (999 is unknown). Keep the time short: nothing can end the wait early.
   */
  waitForEvent(set: Handle, timeoutMs: number): Promise<Answer<CallValue<'nvmlEventSetWait_v2'>>>;
}

type NativeFunction = ReturnType<LibraryHandle['func']>;

const defaultPath = 'libnvidia-ml.so.1';
const functionNotFound = 13;

/**
 * Loads the library, by name through the loader's search path or from a file. Nothing is initialised yet.
 * Throws when the library cannot be loaded, or is not NVML.
 */
export function openNvml(path: string | undefined): NvmlLibrary {
  const file = path ?? defaultPath;
  const functions = bindAll(load(file), file);
  const wait = functions.nvmlEventSetWait_v2;
  return {
    path: file,
    call: (name, ...args) => {
      const native = functions[name];
      if (native === undefined) return { code: functionNotFound, value: undefined };
      const packed = pack(name, args);
      return answer(native(...packed.values) as number, packed);
    },
    waitForEvent: async (set, timeoutMs) => {
      if (wait === undefined) return { code: functionNotFound, value: undefined };
      const packed = pack('nvmlEventSetWait_v2', [set, timeoutMs]);
      return answer(await callOnThread(wait, packed.values), packed);
    },
  };
}

function pack<Name extends CallName>(name: Name, args: CallArguments<Name>): Packed<CallValue<Name>> {
  const row = calls[name] as unknown as CallRow<CallArguments<Name>, CallValue<Name>>;
  return row.pack(...args);
}

function answer<T>(code: number, packed: Packed<T>): Answer<T> {
  return { code, value: code === 0 ? packed.read() : undefined };
}

function callOnThread(native: NativeFunction, values: readonly CValue[]): Promise<number> {
  return new Promise((resolve, reject) => {
    native.async(...values, (error: unknown, code: number) => (error ? reject(error) : resolve(code)));
  });
}

function load(file: string): LibraryHandle {
  try {
    return koffi.load(file);
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(`The NVML library ${file} cannot be loaded: ${reason}.`, { cause: error });
  }
}

type Functions = { readonly [Name in CallName]: NativeFunction | undefined };

function bindAll(library: LibraryHandle, file: string): Functions {
  const names = Object.keys(calls) as readonly CallName[];
  const functions = Object.fromEntries(names.map((name) => [name, bind(library, name)])) as Functions;
  const missing = names.filter((name) => calls[name].isRequired && functions[name] === undefined);
  if (missing.length === 0) return functions;
  throw new Error(`${file} is not a usable NVML library: it has no ${missing.join(', no ')}.`);
}

function bind(library: LibraryHandle, name: CallName): NativeFunction | undefined {
  const parameters = calls[name].parameters.map((type) => (type === 'pointer' ? 'void *' : type));
  try {
    return library.func(name, 'int', parameters);
  } catch {
    return undefined;
  }
}
