/** Questions that come one by one, and are asked together: many pings end at the same time. */

export interface Gathering<Question, Answer> {
  /** How long the first question waits for others. */
  readonly waitMs: number;
  /** Requests at once; what comes meanwhile waits, and is asked together. */
  readonly atOnce: number;
  /** What one request may come to; a question that is more than that is asked alone. */
  readonly mostWeight: number;
  readonly weigh: (question: Question) => number;
  /** The answers in the order of the questions. */
  readonly ask: (questions: readonly Question[], signal: AbortSignal) => Promise<readonly Answer[]>;
  /** Whether an error may be the fault of one of the questions: then each half is asked again. */
  readonly isRefusal: (error: unknown) => boolean;
}

interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly signal: AbortSignal;
  readonly settle: PromiseWithResolvers<Answer | undefined>;
}

/** Asks one question. Resolves with undefined when the signal aborts first; rejects as `ask` does. */
export type AskOne<Question, Answer> = (question: Question, signal: AbortSignal) => Promise<Answer | undefined>;

export function gather<Question, Answer>(gathering: Gathering<Question, Answer>): AskOne<Question, Answer> {
  const waiting = new Set<Waiting<Question, Answer>>();
  let running = 0;
  let isStarting = false;
  const start = () => {
    isStarting = false;
    while (running < gathering.atOnce && waiting.size > 0) {
      running++;
      const batch = take(gathering, waiting);
      void askTogether(gathering, batch).finally(() => {
        running--;
        start();
      });
    }
  };
  return async (question, signal) => {
    if (signal.aborted) return undefined;
    const one = { question, signal, settle: Promise.withResolvers<Answer | undefined>() };
    const onAbort = () => {
      waiting.delete(one);
      one.settle.resolve(undefined);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    waiting.add(one);
    if (!isStarting) setTimeout(start, gathering.waitMs);
    isStarting = true;
    return one.settle.promise.finally(() => signal.removeEventListener('abort', onAbort));
  };
}

/** As many as fit, the first in any case. */
function take<Question, Answer>(
  { mostWeight, weigh }: Gathering<Question, Answer>,
  waiting: Set<Waiting<Question, Answer>>,
): readonly Waiting<Question, Answer>[] {
  const batch: Waiting<Question, Answer>[] = [];
  let weight = 0;
  for (const one of waiting) {
    weight += weigh(one.question);
    if (batch.length > 0 && weight > mostWeight) break;
    batch.push(one);
    waiting.delete(one);
  }
  return batch;
}

/** Never rejects: whoever asked hears of the error. */
async function askTogether<Question, Answer>(
  gathering: Gathering<Question, Answer>,
  batch: readonly Waiting<Question, Answer>[],
): Promise<void> {
  const left = batch.filter(({ signal }) => !signal.aborted);
  if (left.length === 0) return;
  const stop = stopOnceAllGaveUp(left);
  try {
    const answers = await gathering.ask(
      left.map(({ question }) => question),
      stop.signal,
    );
    for (const [index, { settle }] of left.entries()) settle.resolve(answers[index]);
  } catch (error) {
    if (left.length === 1 || !gathering.isRefusal(error)) {
      for (const { settle } of left) settle.reject(error);
      return;
    }
    const middle = Math.ceil(left.length / 2);
    await askTogether(gathering, left.slice(0, middle));
    await askTogether(gathering, left.slice(middle));
  } finally {
    stop.release();
  }
}

/** What nobody waits for any more need not be answered. */
function stopOnceAllGaveUp(batch: readonly { readonly signal: AbortSignal }[]) {
  const controller = new AbortController();
  let left = batch.length;
  const giveUp = () => {
    left--;
    if (left === 0) controller.abort();
  };
  for (const { signal } of batch) signal.addEventListener('abort', giveUp, { once: true });
  const release = () => {
    for (const { signal } of batch) signal.removeEventListener('abort', giveUp);
  };
  return { signal: controller.signal, release };
}
