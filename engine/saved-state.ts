/** What the store gives back is checked before it is believed: a disk, or a person, may have changed it. */
import { z } from 'zod';
import { ACTIONS } from './core/action.ts';
import type { Checkpoint } from './core/checkpoint.ts';
import type { Hold } from './core/hold.ts';
import type { MaintenanceSpan } from './core/maintenance-span.ts';

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

const MAINTENANCE_SPAN = z.object({
  id: z.string(),
  silence: z.string(),
  matchers: z.array(z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean() })),
  fromMs: z.int(),
  toMs: z.int(),
  createdBy: z.string(),
  comment: z.string(),
  firstSeenMs: z.int(),
}) satisfies z.ZodType<MaintenanceSpan>;

const EPISODE = z.object({
  sinceMs: z.number(),
  failures: z.int().min(1).max(1e6),
  failedAtMs: z.number(),
  recoveringSinceMs: z.number().exactOptional(),
});

const TRACK = z.object({ ticks: z.int().min(0), states: z.string().regex(/^([odbum]\d{1,7})*$/), sinceMs: z.number() });

const ACTION = z.object({
  action: z.enum(ACTIONS),
  alert: z.string(),
  gpu: z.string().optional(),
  node: z.string().optional(),
  isKnown: z.boolean(),
  severity: z.string(),
  summary: z.string(),
  sinceMs: z.number(),
  ignored: z.enum(['policy', 'guard', 'unknown']).optional(),
});

const CHECKPOINT = z.object({
  version: z.literal(3),
  revision: z.string(),
  tickMs: z.int().min(0),
  watchingSinceMs: z.number().optional(),
  guard: z.object({ frozenSinceMs: z.number().optional(), lowSince: z.array(z.tuple([z.string(), z.number()])) }),
  episodes: z.array(z.object({ capability: z.string(), subject: SUBJECT, episode: EPISODE })),
  actions: z.array(ACTION),
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

/** The span of a store record, or undefined when it is not one. */
export function parseMaintenanceSpan(value: unknown): MaintenanceSpan | undefined {
  return MAINTENANCE_SPAN.safeParse(value).data;
}

/** The checkpoint of a store record, or undefined when it is damaged or of another format. */
export function parseCheckpoint(value: unknown): Checkpoint | undefined {
  const { data } = CHECKPOINT.safeParse(value);
  if (data === undefined) return undefined;
  const { watchingSinceMs, guard } = data;
  const actions = data.actions.map(({ gpu, node, ignored, ...action }) => ({ ...action, gpu, node, ignored }));
  return { ...data, actions, watchingSinceMs, guard: { frozenSinceMs: guard.frozenSinceMs, lowSince: guard.lowSince } };
}
