/** Pings for an engine that leaves it to others: asks who is due, and has each of them pinged, a bounded number at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { DueAnswer } from '../engine-answers.ts';
import type { EngineClient } from '../engine-client.ts';

/** What was done since the start. */
export interface PingWork {
  readonly inFlight: number;
  readonly pinged: number;
  /** Somebody else was pinging them. */
  readonly busy: number;
  readonly failed: number;
  /** Why the newest question or the newest ping failed; undefined when neither did. */
  readonly trouble: string | undefined;
}

export interface OrchestratorOptions {
  readonly client: EngineClient;
  readonly concurrency: number;
  readonly pollMs: number;
  /** Ends it at once; pings in flight are given up. */
  readonly signal: AbortSignal;
  /** The engine takes no pings from us, which asking again would not change. */
  readonly onRefused: (reason: string) => void;
}

export interface Orchestrator {
  work(): PingWork;
  stop(): Promise<void>;
}

const MAX_PAGE = 1000;
// An agent's answer, and what the engine asks Prometheus about it; how long it waits for either is policy.
const PING_MS = 120_000;
// An agent that could not be pinged is still due, and would be tried at every look.
const REST_MS = 5_000;

const ANSWERED = z.object({ counted: z.boolean() });

export function startOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { client, concurrency, pollMs, onRefused } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const inFlight = new Map<string, Promise<void>>();
  const restsUntil = new Map<string, number>();
  let queue: string[] = [];
  let finished = new Set<string>();
  let done = { pinged: 0, busy: 0, failed: 0 };
  let lookTrouble: string | undefined;
  let pingTrouble: string | undefined;

  async function look(): Promise<void> {
    finished = new Set();
    const limit = Math.min(MAX_PAGE, 4 * concurrency);
    const path = `/ping-system/agents/due-for-ping?limit=${limit}`;
    const answer = await client.ask({ path, schema: DueAnswer, signal });
    if (signal.aborted) return;
    lookTrouble = answer.kind === 'failure' ? answer.text : undefined;
    if (answer.kind === 'failure') return;
    // Whoever was pinged while the engine answered may be in its answer all the same.
    queue = answer.value.agents.map(({ agent_id: id }) => id).filter((id) => !finished.has(id) && isFree(id));
    fill();
  }

  function isFree(id: string): boolean {
    return !inFlight.has(id) && (restsUntil.get(id) ?? 0) <= performance.now();
  }

  function fill(): void {
    while (inFlight.size < concurrency && !signal.aborted) {
      const id = queue.shift();
      if (id === undefined) return;
      inFlight.set(id, ping(id));
    }
  }

  async function ping(id: string): Promise<void> {
    const path = `/ping-system/agents/${encodeURIComponent(id)}/ping`;
    const token = client.operatorToken;
    const answer = await client.ask({ method: 'POST', path, token, schema: ANSWERED, signal, timeoutMs: PING_MS });
    inFlight.delete(id);
    finished.add(id);
    if (signal.aborted) return;
    if (answer.kind === 'answer') succeed();
    else fail(id, answer.status, answer.text);
    fill();
  }

  function succeed(): void {
    done = { ...done, pinged: done.pinged + 1 };
    pingTrouble = undefined;
  }

  function fail(id: string, status: number | undefined, text: string): void {
    // Removed since it was due.
    if (status === 404) return;
    if (status === 401 || status === 403) onRefused(text);
    restsUntil.set(id, performance.now() + REST_MS);
    if (status === 409) done = { ...done, busy: done.busy + 1 };
    else {
      done = { ...done, failed: done.failed + 1 };
      pingTrouble = text;
    }
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      await look();
      forget(restsUntil, performance.now());
      await delay(pollMs, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(inFlight.values());
  }

  const end = loop();
  return {
    work: () => ({ ...done, inFlight: inFlight.size, trouble: lookTrouble ?? pingTrouble }),
    stop: async () => {
      stopping.abort();
      await end;
    },
  };
}

function forget(restsUntil: Map<string, number>, nowMs: number): void {
  for (const [id, untilMs] of restsUntil) if (untilMs <= nowMs) restsUntil.delete(id);
}
