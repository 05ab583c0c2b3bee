/** Asks the engine until it can answer, and puts its first decision into words. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { waitUntilReady } from './readiness.ts';

const CAPABILITY = 'text-to-image';
const ANSWER_MS = 2_000;
const POLL_MS = 500;
/** A first start has no history to read; a long one may take a while. */
const PATIENCE_MS = 60_000;

const Decision = z.object({
  can_process: z.boolean(),
  wait_time_seconds: z.number(),
  reason: z.string(),
  status: z.string(),
});

export interface DecisionWatch {
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Prints one line when gateways can ask; says in between what it is waiting for. */
export async function announceFirstDecision(engineUrl: string, { signal, onLine }: DecisionWatch): Promise<void> {
  while (!signal.aborted) {
    const problem = await waitUntilReady(`${engineUrl}/-/ready`, { timeoutMs: PATIENCE_MS, signal });
    const decision = problem === undefined ? await askDecision(engineUrl, signal) : undefined;
    if (decision !== undefined) return onLine(sentence(decision));
    if (problem !== undefined && !signal.aborted)
      onLine(`still waiting for the first decision: ${engineUrl}/-/ready says ${problem}`);
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function askDecision(engineUrl: string, signal: AbortSignal): Promise<z.infer<typeof Decision> | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  try {
    const gate = await fetch(`${engineUrl}/api/v1/gate/forward/default`, { signal: limit });
    await gate.body?.cancel();
    if (gate.status !== 200 && gate.status !== 429) return undefined;
    const answer = await fetch(`${engineUrl}/api/v1/decisions/delay`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ capability: CAPABILITY }),
      signal: limit,
    });
    return Decision.parse(await answer.json());
  } catch {
    return undefined;
  }
}

function sentence({ can_process, wait_time_seconds, reason, status }: z.infer<typeof Decision>): string {
  const verdict = can_process ? 'may run' : `must wait ${wait_time_seconds} s`;
  return `first decision ready: ${CAPABILITY} ${verdict} (fleet ${status.toLowerCase()}: ${reason})`;
}
