/** Questions to the driver about one thing. What goes wrong is counted; once the GPU or the driver is gone, nothing more is asked. */

import type { CallErrorCount } from '../../snapshot.ts';
import type { CallArguments, CallName, CallValue } from './calls.ts';
import { codeName, isGpuFailure, isOrdinary, isSessionFailure } from './codes.ts';
import type { Answer, NvmlLibrary } from './library.ts';

export interface Inquiry {
  ask<Name extends CallName>(name: Name, ...args: CallArguments<Name>): Answer<CallValue<Name>>;
  /** The value alone; undefined when there is none, for whatever reason. */
  value<Name extends CallName>(name: Name, ...args: CallArguments<Name>): CallValue<Name> | undefined;
  /** Takes a code that came inside of an answer as the answer to that call. */
  note(name: CallName, code: number): void;
  /** The code that ended the inquiry; undefined while it goes on. */
  failure(): number | undefined;
  /** The first code that was no ordinary answer; undefined while all goes well. */
  trouble(): number | undefined;
}

/** How often each call has failed with each code. */
export interface Tally {
  /** Ordinary answers are not counted. */
  add(name: CallName, code: number): void;
  counts(): readonly CallErrorCount[];
}

export function createTally(): Tally {
  const counts = new Map<string, CallErrorCount>();
  return {
    add: (name, number) => {
      if (isOrdinary(name, number)) return;
      const key = `${name} ${number}`;
      counts.set(key, { call: name, code: codeName(number), count: (counts.get(key)?.count ?? 0) + 1 });
    },
    counts: () => [...counts.values()],
  };
}

/** The library for calls that belong to no inquiry: what goes wrong is counted all the same. */
export function countingLibrary(library: NvmlLibrary, tally: Tally): NvmlLibrary {
  return {
    ...library,
    call: (name, ...args) => {
      const answer = library.call(name, ...args);
      tally.add(name, answer.code);
      return answer;
    },
  };
}

export function createInquiry(library: NvmlLibrary, tally: Tally): Inquiry {
  let failure: number | undefined;
  let trouble: number | undefined;
  function note(name: CallName, number: number): void {
    tally.add(name, number);
    if (!isOrdinary(name, number)) trouble ??= number;
    if (isGpuFailure(number) || isSessionFailure(number)) failure ??= number;
  }
  const inquiry: Inquiry = {
    ask: (name, ...args) => {
      if (failure !== undefined) return { code: failure, value: undefined };
      const answer = library.call(name, ...args);
      note(name, answer.code);
      return answer;
    },
    value: (name, ...args) => inquiry.ask(name, ...args).value,
    note,
    failure: () => failure,
    trouble: () => trouble,
  };
  return inquiry;
}
