/**
 * Reads the source in the background, so that a wedged driver never delays a scrape. At most one read is under way; a round
 * waits for it, then sleeps. What is known is a fold over the outcomes of the rounds.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Snapshot, Source } from './snapshot.ts';

export type FailureReason = 'error' | 'timeout';

export interface CollectFailure {
  readonly reason: FailureReason;
  readonly message: string;
}

/** What one round came to. */
export type Outcome =
  | { readonly kind: 'read'; readonly snapshot: Snapshot; readonly durationMs: number }
  | { readonly kind: 'failed'; readonly failure: CollectFailure; readonly durationMs: number };

export interface CollectorState {
  /** The last snapshot, however old. */
  readonly snapshot: Snapshot | undefined;
  /** Why the last round failed; undefined when it did not. */
  readonly failure: CollectFailure | undefined;
  readonly durationMs: number | undefined;
  readonly failures: Readonly<Record<FailureReason, number>>;
}

export interface Collector {
  state(): CollectorState;
  /** One round: never rejects, never longer than the timeout. */
  collect(): Promise<void>;
  /** Starts the rounds; the first one at once. */
  start(): void;
  /** No round starts after this; a read under way is aborted. */
  stop(): void;
}

export interface CollectorOptions {
  readonly source: Source;
  readonly intervalMs: number;
  /** How long a round waits for the source. */
  readonly timeoutMs: number;
  readonly now: () => number;
  /** Called after each round. */
  readonly onRound?: (before: CollectorState, after: CollectorState) => void;
}

export const initialState: CollectorState = {
  snapshot: undefined,
  failure: undefined,
  durationMs: undefined,
  failures: { error: 0, timeout: 0 },
};

/** A failed round keeps the last snapshot: its age tells how much it is still worth. */
export function step(state: CollectorState, outcome: Outcome): CollectorState {
  const { durationMs } = outcome;
  if (outcome.kind === 'read') return { ...state, snapshot: outcome.snapshot, failure: undefined, durationMs };
  const { failure } = outcome;
  const failures = { ...state.failures, [failure.reason]: state.failures[failure.reason] + 1 };
  return { ...state, failure, durationMs, failures };
}

export function createCollector({ source, intervalMs, timeoutMs, now, onRound }: CollectorOptions): Collector {
  const stopping = new AbortController();
  const reader = createReader(source, timeoutMs);
  let state = initialState;

  async function collect(): Promise<void> {
    const startedMs = now();
    const reading = await reader.read();
    const before = state;
    state = step(before, { ...reading, durationMs: Math.max(0, now() - startedMs) });
    onRound?.(before, state);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await collect();
      await sleep(intervalMs, stopping.signal);
    }
  }

  return {
    state: () => state,
    collect,
    start: () => void run(),
    stop: () => {
      stopping.abort();
      reader.abort();
    },
  };
}

type Reading = { kind: 'read'; snapshot: Snapshot } | { kind: 'failed'; failure: CollectFailure };

interface PendingRead {
  readonly reading: Promise<Reading>;
  readonly controller: AbortController;
}

// A source that ignores its abort signal keeps its read pending: later rounds wait for that one instead of piling up more.
function createReader(source: Source, timeoutMs: number) {
  let pending: PendingRead | undefined;
  const forget = () => {
    pending = undefined;
  };

  async function read(): Promise<Reading> {
    pending ??= beginRead(source, forget);
    const { reading, controller } = pending;
    const first = await firstWithin(reading, timeoutMs);
    if (first === undefined) controller.abort();
    return first ?? timedOut(timeoutMs);
  }

  return { read, abort: () => pending?.controller.abort() };
}

function beginRead(source: Source, onSettled: () => void): PendingRead {
  const controller = new AbortController();
  return { controller, reading: attempt(source, controller.signal).finally(onSettled) };
}

async function attempt(source: Source, signal: AbortSignal): Promise<Reading> {
  try {
    return { kind: 'read', snapshot: await source.read(signal) };
  } catch (error) {
    return {
      kind: 'failed',
      failure: { reason: 'error', message: error instanceof Error ? error.message : String(error) },
    };
  }
}

function timedOut(timeoutMs: number): Reading {
  const message = `the source did not answer within ${timeoutMs} ms; the driver may be wedged`;
  return { kind: 'failed', failure: { reason: 'timeout', message } };
}

// The timer is not held open: a read that never ends must not keep the process from ending.
async function firstWithin<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  const timer = new AbortController();
  const late = delay(timeoutMs, undefined, { ref: false, signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
