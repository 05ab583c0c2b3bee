/** What the store gives back is checked before it is believed: a disk, or a person, may have changed it. */
import { z } from 'zod';
import type { Checkpoint } from './core/checkpoint.ts';
import type { Hold } from './core/hold.ts';

const SUBJECT = z.discriminatedUnion('level', [
  z.object({ level: z.literal('fleet') }),
  z.object({ level: z.literal('node'), id: z.string() }),
  z.object({ level: z.literal('gpu'), id: z.string() }),
]);

const HOLD = z.object({
  id: z.string(),
  subject: SUBJECT,
  capability: z.string().exactOptional(),
  effect: z.enum(['allow', 'deny']),
  owner: z.string(),
  reason: z.string(),
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
}) satisfies z.ZodType<Hold>;

const EPISODE = z.object({
  sinceMs: z.number(),
  failures: z.int().min(1).max(1e6),
  failedAtMs: z.number(),
  recoveringSinceMs: z.number().exactOptional(),
});

const TRACK = z.object({ ticks: z.int().min(0), states: z.string().regex(/^([odbu]\d{1,7})*$/), sinceMs: z.number() });

const CHECKPOINT = z.object({
  version: z.literal(2),
  revision: z.string(),
  tickMs: z.int().min(0),
  watchingSinceMs: z.number().optional(),
  guard: z.object({ frozenSinceMs: z.number().optional(), lowSince: z.array(z.tuple([z.string(), z.number()])) }),
  episodes: z.array(z.object({ capability: z.string(), subject: SUBJECT, episode: EPISODE })),
  gpus: z.array(
    z.object({
      gpu: z.string(),
      node: z.string(),
      target: z.string(),
      labels: z.record(z.string(), z.string()),
      lastSeenMs: z.number(),
      tracks: z.array(TRACK),
    }),
  ),
});

/** The hold of a store record, or undefined when it is not one. */
export function parseHold(value: unknown): Hold | undefined {
  return HOLD.safeParse(value).data;
}

/** The checkpoint of a store record, or undefined when it is damaged or of another format. */
export function parseCheckpoint(value: unknown): Checkpoint | undefined {
  const { data } = CHECKPOINT.safeParse(value);
  if (data === undefined) return undefined;
  const { watchingSinceMs, guard } = data;
  return { ...data, watchingSinceMs, guard: { frozenSinceMs: guard.frozenSinceMs, lowSince: guard.lowSince } };
}
