/** Checks passwords against bcrypt hashes in a thread of its own, one at a time, for every client in turn. */

import { Worker } from 'node:worker_threads';
import type { BcryptQuestion } from './bcrypt-worker.ts';
import { createFairQueue, type QueueRoom } from './fair-queue.ts';

export interface PasswordChecker {
  /**
   * Whether the password has the hash; `busy` when too many wait already. `client` is whose turn it takes.
   * Rejects when the thread fails or takes longer than a minute.
   */
  check(client: string, question: BcryptQuestion): Promise<boolean | 'busy'>;
  close(): Promise<void>;
}

interface Job {
  readonly question: BcryptQuestion;
  readonly resolve: (outcome: boolean | 'busy') => void;
  readonly reject: (error: Error) => void;
}

const defaultRoom: QueueRoom = { perClient: 8, total: 128 };

// The most expensive hash that is accepted takes about a quarter of this.
const checkTimeoutMs = 60_000;

// Right passwords are remembered, so the thread is needed rarely; what it holds is given back in between.
const restAfterMs = 30_000;

/** The thread starts with the first check. */
export function createPasswordChecker(room = defaultRoom): PasswordChecker {
  const waiting = createFairQueue<Job>(room);
  let thread: Worker | undefined;
  let current: Job | undefined;
  let timer: NodeJS.Timeout | undefined;

  function goOn(): void {
    clearTimeout(timer);
    current = waiting.take();
    if (current === undefined) timer = setTimeout(() => void dismiss(), restAfterMs).unref();
    else ask(current.question);
  }

  function ask(question: BcryptQuestion): void {
    const late = new Error('checking a password took longer than a minute');
    timer = setTimeout(() => fail(late), checkTimeoutMs).unref();
    thread ??= hire();
    thread.postMessage(question);
  }

  function hire(): Worker {
    const hired = new Worker(new URL('./bcrypt-worker.ts', import.meta.url), { execArgv: [] });
    hired.unref();
    // A thread that was given up may still have something to say.
    hired.on('message', (isMatch: boolean) => {
      if (hired !== thread) return;
      current?.resolve(isMatch);
      goOn();
    });
    hired.on('error', (error) => {
      if (hired === thread) fail(error instanceof Error ? error : new Error(String(error)));
    });
    return hired;
  }

  function fail(error: Error): void {
    current?.reject(error);
    void dismiss();
    goOn();
  }

  async function dismiss(): Promise<void> {
    const leaving = thread;
    thread = undefined;
    await leaving?.terminate();
  }

  return {
    check(client, question) {
      return new Promise<boolean | 'busy'>((resolve, reject) => {
        if (!waiting.add(client, { question, resolve, reject })) resolve('busy');
        else if (current === undefined) goOn();
      });
    },
    async close() {
      for (let job = current; job !== undefined; job = waiting.take()) job.resolve('busy');
      current = undefined;
      clearTimeout(timer);
      await dismiss();
    },
  };
}
