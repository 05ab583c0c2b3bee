/** What an engine says of agents and pings, as far as the commands use it. Its words come from agents: they are made plain. */
import { z } from 'zod';
import { plainText } from './plain-text.ts';

const words = z.string().transform(plainText);
const wordsOrNull = words.nullable();
const numberOrNull = z.number().nullable();

export const AgentAnswer = z.object({
  agent_id: words,
  agent_url: words,
  capabilities: z.array(words),
  metadata: z.record(words, z.union([words, z.number(), z.boolean()])),
  node: words,
  gpu: wordsOrNull,
  registered_at: z.number(),
  updated_at: z.number(),
  status: words,
  ping: z.object({
    pings: z.number(),
    last_ping_at: numberOrNull,
    reason: wordsOrNull,
    consecutive_poor: z.number(),
    good_in_a_row: z.number(),
    interval_seconds: z.number(),
    next_ping_at: z.number(),
    pay_interval_ends_at: z.number(),
    retries: z.number(),
    is_due: z.boolean(),
    clock_skew_seconds: numberOrNull,
    recovery: z.object({ pings: z.number(), at: numberOrNull }),
  }),
});

export type AgentAnswer = z.infer<typeof AgentAnswer>;

/** An entry as it came, for programs. */
export const Whole = z.looseObject({});

// Given back as it came: it is no text for people.
const cursor = z.string().nullable();

/** A page of the list of agents, each read by `entry`. */
export function agentsPage<E extends z.ZodType>(entry: E) {
  const page = z.object({ total: z.number(), next: cursor, agents: z.array(entry) });
  return page.transform(({ total, next, agents: items }) => ({ total, next, items }));
}

export const RegisteredAnswer = z.object({
  result: z.enum(['registered', 'changed', 'unchanged']),
  agent_token: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'not a token')
    .optional(),
  agent: AgentAnswer,
});

const Side = z.object({ uptime_percentage: numberOrNull, coverage_percentage: numberOrNull }).nullable();

export const PingedAnswer = z.object({
  counted: z.boolean(),
  why_not: wordsOrNull,
  reply: z.object({ kind: words, reason: wordsOrNull.optional() }),
  outcome: wordsOrNull,
  reason: wordsOrNull,
  uptime_percentage: numberOrNull,
  evidence: z.object({ claimed: Side, observed: Side }).nullable(),
  round_trip_seconds: numberOrNull,
  agent: AgentAnswer,
});

export type PingedAnswer = z.infer<typeof PingedAnswer>;

export const HistoryPing = z.object({
  at: z.number(),
  outcome: words,
  reason: words,
  uptime_percentage: numberOrNull,
  consecutive_poor: z.number(),
  interval_seconds: z.number(),
  round_trip_seconds: numberOrNull,
});

export type HistoryPing = z.infer<typeof HistoryPing>;

/** A page of the history of an agent, the newest first, each ping read by `entry`. */
export function historyPage<E extends z.ZodType>(entry: E) {
  const page = z.object({ next: cursor, pings: z.array(entry) });
  return page.transform(({ next, pings: items }) => ({ next, items }));
}

export const DueAnswer = z.object({
  total: z.number(),
  agents: z.array(z.object({ agent_id: z.string() })),
  scheduler: z.enum(['engine', 'external']),
});

export const DashboardAnswer = z.object({
  generated_at: z.number(),
  scheduler: z.enum(['engine', 'external']),
  suspect: z.boolean(),
  suspect_since: numberOrNull,
  agents: z.object({
    total: z.number(),
    by_status: z.record(words, z.number()),
    due: z.number(),
    in_flight: z.number(),
    escalated: z.number(),
    never_pinged: z.number(),
  }),
  lag_seconds: numberOrNull,
  worst_lag_seconds: numberOrNull,
  pings_24h: z.object({
    total: z.number(),
    by_outcome: z.record(words, z.number()),
    mean_round_trip_seconds: numberOrNull,
  }),
  next_due_at: numberOrNull,
  worst: z.array(AgentAnswer),
  divergent: z.array(
    z.object({
      agent_id: words,
      node: words,
      claimed: Side,
      observed: Side,
      divergence_percentage_points: numberOrNull,
    }),
  ),
});

export type DashboardAnswer = z.infer<typeof DashboardAnswer>;
