/** How values pass between a call and memory: what C is given, and what is read back once the call has succeeded. */

import { allocate, decodeStruct, exact, type Layout, readText, type StructValue } from './layouts.ts';

/** An opaque pointer of the library: a device, an event set or a sample. */
export type Handle = bigint;

/** A type of a C parameter, in koffi's words. `pointer` takes memory or a handle. */
export type CType = 'uint' | 'int' | 'uint64' | 'pointer';

export type CValue = number | bigint | Buffer;

/** The C arguments of one call, and how its result is read afterwards. */
export interface Packed<T> {
  readonly values: readonly CValue[];
  read(): T;
}

/** One symbol: its C parameters, how arguments become C values, and whether the library must have it. */
export interface CallRow<Arguments extends readonly unknown[], Value> {
  readonly parameters: readonly CType[];
  readonly pack: (...args: Arguments) => Packed<Value>;
  /** A library without it is not NVML; every other symbol may be missing from an older driver. */
  readonly isRequired: boolean;
}

/** Memory for one result, and how to read it. */
export interface Slot<T> {
  readonly make: () => Buffer;
  readonly read: (memory: Buffer) => T;
  /** NVML is told the size of a text. */
  readonly passesLength: boolean;
}

const slot = <T>(size: number, read: (memory: Buffer) => T): Slot<T> => ({
  make: () => Buffer.alloc(size),
  read,
  passesLength: false,
});

export const u32 = slot(4, (memory) => memory.readUInt32LE(0));
export const u64 = slot(8, (memory) => exact(memory.readBigUInt64LE(0)));
export const handle: Slot<Handle> = slot(8, (memory) => memory.readBigUInt64LE(0));
export const text = (length: number): Slot<string> => ({ ...slot(length, readText), passesLength: true });

export const struct = <L extends Layout>(layout: L): Slot<StructValue<L>> => ({
  make: () => allocate(layout),
  read: (memory) => decodeStruct(layout, memory),
  passesLength: false,
});

/** A struct of which the call reads one field before it fills in the others. */
export const structWith = <L extends Layout>(layout: L, field: keyof L['fields'] & string, value: number) => {
  const make = () => {
    const memory = allocate(layout);
    memory.writeUInt32LE(value, layout.fields[field]?.at ?? 0);
    return memory;
  };
  return { ...struct(layout), make };
};

interface ArgumentTypes {
  readonly pointer: Handle;
  readonly uint: number;
  readonly int: number;
  readonly uint64: number;
}

type ArgumentsOf<P extends readonly CType[]> = { [I in keyof P]: ArgumentTypes[P[I]] };

// Each argument has the type that its parameter names, which the compiler does not see through the mapped tuple.
function plain(args: readonly unknown[]): readonly CValue[] {
  return args as readonly CValue[];
}

/** A call that takes plain arguments and gives nothing back. */
export function action<const P extends readonly CType[]>(...parameters: P): CallRow<ArgumentsOf<P>, true> {
  return row(parameters, (...args) => ({ values: plain(args), read: () => true }));
}

/** A call that takes plain arguments and fills in one result behind them. */
export function getter<const P extends readonly CType[], T>(parameters: P, out: Slot<T>): CallRow<ArgumentsOf<P>, T> {
  return row([...parameters, ...slotParameters(out)], (...args) => {
    const memory = out.make();
    const values = [...plain(args), ...slotValues(out, memory)];
    return { values, read: () => out.read(memory) };
  });
}

/** A call that fills in several numbers behind its arguments; they are named in C's order. */
export function numbersGetter<const P extends readonly CType[], const Names extends readonly string[]>(
  parameters: P,
  names: Names,
): CallRow<ArgumentsOf<P>, Readonly<Record<Names[number], number>>> {
  return row([...parameters, ...names.map(() => 'pointer' as const)], (...args) => {
    const memories = names.map(() => u32.make());
    const read = () => Object.fromEntries(memories.map((memory, index) => [names[index], u32.read(memory)]));
    return {
      values: [...plain(args), ...memories],
      read: read as () => Record<Names[number], number>,
    };
  });
}

/** The same call, and a library without it is refused. */
export function required<A extends readonly unknown[], T>(optional: CallRow<A, T>): CallRow<A, T> {
  return { ...optional, isRequired: true };
}

export function row<A extends readonly unknown[], T>(
  parameters: readonly CType[],
  pack: (...args: A) => Packed<T>,
): CallRow<A, T> {
  return { parameters, pack, isRequired: false };
}

function slotParameters(out: Slot<unknown>): readonly CType[] {
  return out.passesLength ? ['pointer', 'uint'] : ['pointer'];
}

function slotValues(out: Slot<unknown>, memory: Buffer): readonly CValue[] {
  return out.passesLength ? [memory, memory.length] : [memory];
}
