/** Waits for an HTTP endpoint to say that its server is ready. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;
const ANSWER_MS = 2_000;

export interface Patience {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Undefined once `url` answers 2xx; after `timeoutMs`, or when `signal` aborts, what it said last. */
export async function waitUntilReady(url: string, { timeoutMs, signal }: Patience): Promise<string | undefined> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const problem = await ask(url, signal);
    if (problem === undefined || signal.aborted || Date.now() >= deadline) return problem;
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function ask(url: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]) });
    await response.body?.cancel();
    return response.ok ? undefined : `HTTP ${response.status}`;
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  }
}
