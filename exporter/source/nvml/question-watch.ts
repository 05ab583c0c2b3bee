/** The question a driver process is working on, and how long its driver calls have been silent. */

import {
  type Answer,
  type Introduction,
  idleStep,
  type Question,
  type Report,
  type Request,
  type Touching,
} from './protocol.ts';

export interface TimeLimits {
  /** How long the reading of one GPU may take; twice as long until the process has answered for the first time. */
  readonly gpuMs: number;
  /** How long a step of the driver as a whole may take, and the start of the process. Taking up a question takes no such time. */
  readonly driverMs: number;
  /** How long a process that was killed may take to end before it is left behind. */
  readonly endMs: number;
}

/** What a question came to. After `wedged` the process is still there and must be killed; after `crashed` it has ended. */
export type Outcome =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'wedged' | 'crashed'; readonly touching: Touching; readonly message: string };

export interface QuestionWatch {
  /** One question at a time. Never rejects. */
  ask(question: Question): Promise<Outcome>;
  /** What the process has written. */
  report(report: Exclude<Report, Introduction>): void;
  /** The process has ended, or never started; from outside means that no driver call is to blame. */
  lost(message: string, isFromOutside: boolean): void;
}

// The limit is counted in ticks rather than on a clock: after a pause of the whole machine one tick is missing, not the answer.
const ticksInLimit = 8;
// The process that opens a GPU first wakes it: without persistence mode that takes up to three seconds.
const wakingFactor = 2;
// Taking up a question is no work, and a process that is stopped does not do even that; a busy machine may let it wait for a moment.
const leastTakingUpMs = 2_000;
const takingUpFactor = 2;

export function createQuestionWatch(limits: TimeLimits, send: (request: Request) => void): QuestionWatch {
  const tickMs = Math.min(limits.gpuMs, limits.driverMs) / ticksInLimit;
  let touching: Touching = { step: 'starting' };
  let silentMs = 0;
  let lastId = 0;
  let hasAnswered = false;
  let end: Outcome | undefined;
  let settle: ((outcome: Outcome) => void) | undefined;

  function ask(question: Question): Promise<Outcome> {
    if (end !== undefined) return Promise.resolve(end);
    lastId += 1;
    silentMs = 0;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const timer = setInterval(tick, tickMs);
    settle = resolve;
    send({ ...question, id: lastId });
    return promise.finally(() => clearInterval(timer));
  }

  function tick(): void {
    silentMs += tickMs;
    const limitMs = touching.gpu === undefined ? driverLimitMs() : gpuLimitMs();
    if (silentMs >= limitMs) settle?.({ kind: 'wedged', touching, message: wedgeMessage(touching, limitMs) });
  }

  function driverLimitMs(): number {
    if (touching.step !== idleStep) return limits.driverMs;
    return Math.min(limits.driverMs, Math.max(leastTakingUpMs, takingUpFactor * limits.gpuMs));
  }

  function gpuLimitMs(): number {
    return hasAnswered ? limits.gpuMs : wakingFactor * limits.gpuMs;
  }

  function report(next: Exclude<Report, Introduction>): void {
    if (next.kind !== 'touching') {
      hasAnswered = true;
      if (next.id === lastId) settle?.({ kind: 'answered', answer: next });
      return;
    }
    if (next.gpu === undefined || next.gpu !== touching.gpu) silentMs = 0;
    touching = { gpu: next.gpu, step: next.step };
  }

  function lost(message: string, isFromOutside: boolean): void {
    end ??= { kind: 'crashed', touching: isFromOutside ? { step: touching.step } : touching, message };
    settle?.(end);
  }

  return { ask, report, lost };
}

function wedgeMessage({ gpu, step }: Touching, limitMs: number): string {
  if (step === idleStep) return `The driver process did not take up the question within ${limitMs / 1000} s.`;
  const what = gpu === undefined ? 'The driver' : gpuName(gpu);
  return `${what} did not answer within ${limitMs / 1000} s (${step}).`;
}

/** What people call a GPU that the reader names by its UUID or, as long as it does not know that, by its index. */
export function gpuName(gpu: string): string {
  return gpu.replace(/^index:/, 'GPU ');
}
