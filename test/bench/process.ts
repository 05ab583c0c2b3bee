/** Processes that a bench compares: each its own, so that neither pays for the other's heap or event loop. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Numbers = Readonly<Record<string, number>>;

export interface BenchProcess {
  readonly pid: number;
  /** What it said once it was ready. */
  readonly ready: Numbers;
  /** Sends one message and waits for the next one that comes back. */
  ask(question: Numbers): Promise<Numbers>;
  end(): Promise<void>;
}

const ANSWER_MS = 180_000;

/** Runs a module (by its file URL) and waits for its first message. Rejects when it ends instead. */
export async function startProcess(module: string, args: readonly string[] = []): Promise<BenchProcess> {
  const child = fork(fileURLToPath(module), args);
  const ready = await nextMessage(child);
  return {
    pid: child.pid ?? 0,
    ready,
    ask: (question) => {
      child.send(question);
      return nextMessage(child);
    },
    end: async () => {
      if (child.exitCode === null && child.kill()) await once(child, 'exit');
    },
  };
}

async function nextMessage(child: ChildProcess): Promise<Numbers> {
  const heard = new AbortController();
  const signal = AbortSignal.any([heard.signal, AbortSignal.timeout(ANSWER_MS)]);
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error(`${child.spawnargs.slice(1).join(' ')} ended without an answer`);
  });
  try {
    const [message]: unknown[] = await Promise.race([once(child, 'message', { signal }), ended]);
    return asNumbers(message);
  } finally {
    ended.catch(() => undefined);
    heard.abort();
  }
}

function asNumbers(message: unknown): Numbers {
  const entries = Object.entries(Object(message)).map(([name, value]): [string, number] => [name, Number(value)]);
  return Object.fromEntries(entries);
}

/** The other side: says that this process is ready, and answers each message. */
export function answerParent(ready: Numbers, answer: (question: Numbers) => Numbers | Promise<Numbers>): void {
  process.on('message', async (message) => process.send?.(await answer(asNumbers(message))));
  process.once('disconnect', () => process.exit());
  process.send?.(ready);
}

export function residentMebibytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

/** CPU time of a process since its start; Linux counts 100 clock ticks per second. */
export function processCpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** CPU time of this process since `since`, milliseconds. */
export function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}
