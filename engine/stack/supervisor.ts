/** Starts parts one after the other, watches all of them, and ends them in reverse order. */
import { type Part, type PartExit, type PartSpec, startPart } from './process.ts';
import { waitUntilReady } from './readiness.ts';
import { Refusal } from './refusal.ts';

const STOP_GRACE_MS = 5_000;

export interface PlannedPart {
  readonly spec: PartSpec;
  readonly readyUrl: string;
  readonly readyTimeoutMs: number;
}

export interface SupervisorHooks {
  /** Every line that a part prints. */
  readonly onLine: (name: string, line: string) => void;
  /** The parts that are alive, whenever that changes. */
  readonly onChange: (parts: readonly Part[]) => void;
}

export interface Supervisor {
  /** Resolves when the part is ready. Throws Refusal when it ends or stays silent instead. */
  start(planned: PlannedPart, signal: AbortSignal): Promise<Part>;
  /** Settles with a sentence when a part that was ready ends by itself. */
  readonly failed: Promise<string>;
  /** Ends all parts, the last one started first; returns their names in that order. */
  stop(): Promise<readonly string[]>;
}

export function createSupervisor(hooks: SupervisorHooks): Supervisor {
  const parts: Part[] = [];
  const failure = Promise.withResolvers<string>();
  let isStopping = false;

  function watch(part: Part): void {
    void part.exited.then((exit) => {
      parts.splice(parts.indexOf(part), 1);
      hooks.onChange(parts);
      if (!isStopping) failure.resolve(deathNotice(part, exit));
    });
  }

  async function start(planned: PlannedPart, signal: AbortSignal): Promise<Part> {
    const part = startPart(planned.spec, (line) => hooks.onLine(planned.spec.name, line));
    parts.push(part);
    hooks.onChange(parts);
    watch(part);
    await becomeReady(part, planned, signal);
    return part;
  }

  async function stop(): Promise<readonly string[]> {
    isStopping = true;
    const running = parts.toReversed();
    for (const part of running) await part.stop(STOP_GRACE_MS);
    return running.map(({ name }) => name);
  }

  return { start, failed: failure.promise, stop };
}

async function becomeReady(part: Part, { readyUrl, readyTimeoutMs }: PlannedPart, signal: AbortSignal): Promise<void> {
  const given = new AbortController();
  const exited = part.exited.then((exit) => {
    given.abort();
    return deathNotice(part, exit);
  });
  const patience = { timeoutMs: readyTimeoutMs, signal: AbortSignal.any([signal, given.signal]) };
  const problem = await waitUntilReady(readyUrl, patience);
  if (given.signal.aborted) throw new Refusal([await exited]);
  if (problem === undefined || signal.aborted) return;
  const asked = `${part.name} was not ready within ${readyTimeoutMs / 1000} s (${readyUrl}: ${problem}).`;
  throw new Refusal([`${asked} ${lastWords(part)}`]);
}

function deathNotice(part: Part, exit: PartExit): string {
  return `${part.name} ended by itself (${exit}). ${lastWords(part)}`;
}

function lastWords(part: Part): string {
  const lines = part.lastLines();
  if (lines.length === 0) return `Its log ${part.spec.logFile} is empty.`;
  return [`The end of its log ${part.spec.logFile}:`, ...lines.map((line) => `  ${line}`)].join('\n');
}
