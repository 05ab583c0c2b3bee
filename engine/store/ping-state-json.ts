/** A ping state as JSON. What is read back is checked before it is believed: a disk, or a person, may have changed it. */
import { z } from 'zod';
import type { PingOutcome } from '../core/ping/outcome.ts';
import type { PingState } from '../core/ping/state.ts';
import { parseJson } from '../text/parse-json.ts';

/** As a list, because what is stored is text. */
const OUTCOMES = ['good', 'poor', 'no_gpu', 'unreachable', 'refused', 'invalid', 'unobserved'] as const;

const OUTCOME = z.enum(OUTCOMES) satisfies z.ZodType<PingOutcome>;

/** Absent, also from a state that was written before there was such a field. */
function maybe<T extends z.ZodType>(schema: T) {
  return z.union([schema, z.null().transform(() => undefined)]).prefault(null);
}

const COUNT = z.int().min(0);
const CLAIM = z.object({ uptime: maybe(z.number()), coverage: z.number() });
const EVIDENCE = z.object({ claimed: maybe(CLAIM), observed: maybe(CLAIM), fromMs: z.number(), toMs: z.number() });

const PING_STATE = z.object({
  sinceMs: z.number(),
  pings: COUNT,
  consecutivePoor: COUNT,
  goodInARow: COUNT,
  cursor: maybe(z.object({ bootId: z.string(), seq: z.number() })),
  spanFromMs: maybe(z.number()),
  attempts: COUNT,
  failingSinceMs: maybe(z.number()),
  graceAtMs: maybe(z.number()),
  lastAttemptAtMs: maybe(z.number()),
  lastPingAtMs: maybe(z.number()),
  lastOutcome: maybe(OUTCOME),
  lastReason: maybe(z.string()),
  lastEvidence: maybe(EVIDENCE),
  seenAtMs: maybe(z.number()),
  isUnseen: z.boolean().prefault(false),
  isReachable: maybe(z.boolean()),
  clockSkewMs: maybe(z.number()),
  slotAtMs: z.number(),
  nextDueAtMs: z.number(),
  payDueAtMs: z.number(),
  intervalMs: z.number(),
  undo: maybe(z.object({ consecutivePoor: COUNT, goodInARow: COUNT, isReachable: maybe(z.boolean()) })),
}) satisfies z.ZodType<PingState>;

export function encodePingState(state: PingState): string {
  return JSON.stringify(state);
}

/** Undefined when the text is no state. */
export function decodePingState(text: string): PingState | undefined {
  return PING_STATE.safeParse(parseJson(text)).data;
}

/** An outcome that this engine does not know says nothing of the agent. */
export function decodeOutcome(text: unknown): PingOutcome {
  return OUTCOME.safeParse(text).data ?? 'unobserved';
}
