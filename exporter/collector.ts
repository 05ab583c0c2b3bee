/**
 * Reads the source in the background, so that a wedged driver never delays a scrape, or on demand, for nodes that are simulated
 * by the thousand. At most one read is under way; a round waits for it. What is known is a fold over the outcomes of the rounds.
 */

import { forget, initialPresence, observe, type Presence, type PresenceRules, presenceRules } from './presence.ts';
import type { Snapshot, Source } from './snapshot.ts';
import { createReader } from './source-reader.ts';
import { sleep } from './waiting.ts';

export type FailureReason = 'error' | 'timeout';

export interface CollectFailure {
  readonly reason: FailureReason;
  readonly message: string;
}

/** What one read came to. */
export type ReadResult =
  | { readonly kind: 'read'; readonly snapshot: Snapshot }
  | { readonly kind: 'failed'; readonly failure: CollectFailure };

/** What one round came to; `atMs` is its end. */
export type Outcome = ReadResult & { readonly atMs: number; readonly durationMs: number };

export interface CollectorState {
  /** The last snapshot, however old. */
  readonly snapshot: Snapshot | undefined;
  /** Why the last round failed; undefined when it did not. */
  readonly failure: CollectFailure | undefined;
  readonly durationMs: number | undefined;
  readonly failures: Readonly<Record<FailureReason, number>>;
  /** Every GPU ever seen, and how its time was spent. */
  readonly presence: Presence;
}

export interface Collector {
  state(): CollectorState;
  /** One round, or the one under way: never rejects, never longer than the timeout. */
  collect(): Promise<void>;
  /** Starts the rounds; the first one at once. */
  start(): void;
  /** Settles when the first round is over, whatever it came to, or when there will be none. */
  firstRound(): Promise<void>;
  /** For a collector that is not started: a round only where the last one is older than the interval. Callers share it. */
  freshen(): Promise<CollectorState>;
  /** Forgets a GPU that is gone for good. */
  forget(uuid: string): Forgetting;
  /** No round starts after this; a read under way is aborted. */
  stop(): void;
}

/** `present` is a GPU that was well when last seen: it would only come back, with its counters at 0. */
type Forgetting = 'forgotten' | 'unknown' | 'present';

export interface CollectorOptions {
  readonly source: Source;
  readonly intervalMs: number;
  /** How long a round waits for the source. */
  readonly timeoutMs: number;
  readonly now: () => number;
  /** What an earlier exporter of this node knew. */
  readonly presence?: Presence;
  readonly presenceRules?: PresenceRules;
  /** Called after each round. */
  readonly onRound?: (before: CollectorState, after: CollectorState) => void;
}

export const initialState: CollectorState = {
  snapshot: undefined,
  failure: undefined,
  durationMs: undefined,
  failures: { error: 0, timeout: 0 },
  presence: initialPresence,
};

/** A failed round keeps the last snapshot: its age tells how much it is still worth. */
export function step(state: CollectorState, outcome: Outcome, rules: PresenceRules = presenceRules): CollectorState {
  const { durationMs } = outcome;
  const presence = observe(state.presence, outcome, rules);
  if (outcome.kind === 'read')
    return { ...state, snapshot: outcome.snapshot, failure: undefined, durationMs, presence };
  const { failure } = outcome;
  const failures = { ...state.failures, [failure.reason]: state.failures[failure.reason] + 1 };
  return { ...state, failure, durationMs, failures, presence };
}

export function createCollector(options: CollectorOptions): Collector {
  const { source, intervalMs, timeoutMs, now, onRound, presence = initialPresence } = options;
  const rules = options.presenceRules ?? rulesFor(options);
  const stopping = new AbortController();
  const reader = createReader(source, timeoutMs);
  const first = Promise.withResolvers<void>();
  let state: CollectorState = { ...initialState, presence };
  let underWay: Promise<void> | undefined;
  let endedMs: number | undefined;

  // Joined by all who ask meanwhile: a snapshot that was counted twice would count its XIDs twice.
  function collect(): Promise<void> {
    underWay ??= round().finally(() => {
      underWay = undefined;
      first.resolve();
    });
    return underWay;
  }

  async function round(): Promise<void> {
    const startedMs = now();
    const reading = await reader.read();
    // A read that was cut off by the end of the exporter says nothing about the source.
    if (reading.kind === 'failed' && stopping.signal.aborted) return;
    const before = state;
    endedMs = now();
    const outcome = { ...reading, atMs: endedMs, durationMs: Math.max(0, endedMs - startedMs) };
    state = step(before, outcome, rules);
    onRound?.(before, state);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await collect();
      await sleep(intervalMs, stopping.signal);
    }
  }

  async function freshen(): Promise<CollectorState> {
    const ageMs = endedMs === undefined ? Number.POSITIVE_INFINITY : Math.abs(now() - endedMs);
    if (ageMs >= intervalMs && !stopping.signal.aborted) await collect();
    return state;
  }

  function forgetGpu(uuid: string): Forgetting {
    const forgetting = forgettingOf(state.presence, uuid);
    if (forgetting === 'forgotten') state = { ...state, presence: forget(state.presence, uuid) };
    return forgetting;
  }

  return {
    state: () => state,
    collect,
    start: () => void run(),
    firstRound: () => first.promise,
    freshen,
    forget: forgetGpu,
    stop: () => {
      stopping.abort();
      reader.abort();
      first.resolve();
    },
  };
}

function forgettingOf({ gpus }: Presence, uuid: string): Forgetting {
  // The name comes from outside: `constructor` is no GPU.
  const gpu = Object.hasOwn(gpus, uuid) ? gpus[uuid] : undefined;
  if (gpu === undefined) return 'unknown';
  return gpu.lostSinceMs === undefined ? 'present' : 'forgotten';
}

// Rounds may be as far apart as they are meant to be.
function rulesFor({ intervalMs, timeoutMs }: CollectorOptions): PresenceRules {
  return { ...presenceRules, maxGapMs: Math.max(presenceRules.maxGapMs, 3 * (intervalMs + timeoutMs)) };
}
