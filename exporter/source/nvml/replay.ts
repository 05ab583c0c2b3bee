/** A recording of NVML's answers as a library: the reader above it cannot tell the difference. */

import { setTimeout as delay } from 'node:timers/promises';
import type { CallArguments, CallName, CallValue } from './calls.ts';
import { code } from './codes.ts';
import type { Answer, NvmlLibrary } from './library.ts';
import type { FieldAnswer, FieldQuery, GpmAnswer } from './lists.ts';
import { encode, roundCall } from './recording.ts';
import { parseRecording, type RecordedCall, type RecordedEvent } from './recording-file.ts';

export interface ReplayOptions {
  /** Name of the file, for messages. */
  readonly file: string;
  /** Milliseconds; events come as long after the start of the replay as they came after that of the recording. */
  readonly now: () => number;
}

/**
 * Gives each round its recorded answers, in their order. What a round does not have is answered as in the last round that had it;
 * what no round has, as by a driver that does not know the function. The last round is held for good: beginning anew would make
 * every counter fall. Throws, naming file and line, when the text is no recording.
 */
export function replayLibrary(text: string, { file, now }: ReplayOptions): NvmlLibrary {
  const { rounds, events } = parseRecording(text, file);
  const startedMs = now();
  const tape = createTape(rounds.map(byQuestion));
  const pending = [...events];
  return {
    path: file,
    call: (name, ...args) => {
      if (name === roundCall) tape.advance();
      return fit(name, args, tape.next(questionOf(name, args)));
    },
    waitForEvent: (_set, timeoutMs) => nextEvent(pending, { timeoutMs, elapsedMs: now() - startedMs }),
  };
}

/** The answers of one round by what was asked, each list in the order of asking. */
type Round = ReadonlyMap<string, readonly Answer<unknown>[]>;

function byQuestion(calls: readonly RecordedCall[]): Round {
  return Map.groupBy(calls, ({ call, args }) => questionOf(call, args));
}

function createTape(rounds: readonly Round[]) {
  const turns = new Map<string, number>();
  let current = 0;
  return {
    advance: () => {
      current = Math.min(current + 1, rounds.length - 1);
      turns.clear();
    },
    next: (question: string): Answer<unknown> => {
      const turn = turns.get(question) ?? 0;
      turns.set(question, turn + 1);
      const answers = rounds[current]?.get(question);
      const answer = answers?.[turn] ?? answers?.at(-1) ?? lastBefore(rounds.slice(0, current), question);
      return answer ?? { code: code.functionNotFound, value: undefined };
    },
  };
}

function lastBefore(rounds: readonly Round[], question: string): Answer<unknown> | undefined {
  return rounds
    .findLast((round) => round.has(question))
    ?.get(question)
    ?.at(-1);
}

// A list is no part of the question: the exporter that made the recording may have asked for more, or for less.
function questionOf(name: string, args: readonly unknown[]): string {
  return `${name} ${encode(name in listCalls ? args.slice(0, -1) : args)}`;
}

/** Calls that answer each entry of their last argument: what is asked for is picked from what was recorded. */
const listCalls = {
  nvmlDeviceGetFieldValues: (queries: readonly FieldQuery[], answers: readonly FieldAnswer[]) =>
    queries.map(({ fieldId, scopeId = 0 }): FieldAnswer => {
      const found = answers.find((answer) => answer.fieldId === fieldId && answer.scopeId === scopeId);
      return found ?? { fieldId, scopeId, code: code.notSupported, value: undefined, takenAtUs: undefined };
    }),
  nvmlGpmMetricsGet: (metricIds: readonly number[], answers: readonly GpmAnswer[]) =>
    metricIds.map((metricId): GpmAnswer => {
      const found = answers.find((answer) => answer.metricId === metricId);
      return found ?? { metricId, nvmlReturn: code.notSupported, value: Number.NaN };
    }),
};

type Select = (list: unknown, answers: unknown) => unknown;

function fit<Name extends CallName>(
  name: Name,
  args: CallArguments<Name>,
  answer: Answer<unknown>,
): Answer<CallValue<Name>> {
  const select = name in listCalls ? (listCalls[name as keyof typeof listCalls] as Select) : undefined;
  const isListed = select !== undefined && answer.value !== undefined;
  const value = isListed ? select(args.at(-1), answer.value) : answer.value;
  return { code: answer.code, value: value as CallValue<Name> | undefined };
}

interface Wait {
  readonly timeoutMs: number;
  readonly elapsedMs: number;
}

async function nextEvent(pending: RecordedEvent[], { timeoutMs, elapsedMs }: Wait) {
  const dueInMs = (pending[0]?.afterMs ?? Number.POSITIVE_INFINITY) - elapsedMs;
  if (dueInMs > 0) await delay(Math.min(dueInMs, timeoutMs));
  const event = dueInMs <= timeoutMs ? pending.shift()?.event : undefined;
  return event === undefined ? { code: code.timeout, value: undefined } : { code: code.success, value: event };
}
