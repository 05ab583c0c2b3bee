/** Presence as text, for the state file: what is written, and what is taken back in. */

import { z } from 'zod';
import type { GpuPresence, Presence, SpentTime } from './presence.ts';
import { reasonOf } from './presence-reasons.ts';
import { noTime, plus } from './presence-time.ts';

const format = 'gpu-uptime exporter presence';
const version = 1;

export type PresenceRecord =
  | { readonly kind: 'presence'; readonly presence: Presence }
  | { readonly kind: 'unusable'; readonly problem: string };

/** One line of JSON with its format and version. */
export function encodePresence(presence: Presence): string {
  const gpus = Object.entries(presence.gpus).map(([uuid, gpu]) => [uuid, lifeOf(gpu)]);
  return `${JSON.stringify({ format, version, presence: { ...presence, gpus: Object.fromEntries(gpus) } })}\n`;
}

// When the exporter that writes this began is of no interest to the one that reads it.
function lifeOf(gpu: GpuPresence): GpuPresence {
  return { ...gpu, spentBefore: undefined };
}

/** Takes nothing on trust: a file that was cut short, edited or written by something else is named as unusable. */
export function decodePresence(text: string): PresenceRecord {
  const content = parseJson(text);
  if (content === undefined) return unusable('it is not whole JSON');
  const header = headerSchema.safeParse(content);
  if (!header.success) return unusable('it was not written by this exporter');
  if (header.data.version !== version)
    return unusable(`it has version ${header.data.version}, and this exporter reads version ${version}`);
  const parsed = z.object({ presence: presenceSchema }).safeParse(content);
  if (parsed.success) return { kind: 'presence', presence: parsed.data.presence };
  return unusable(firstIssue(parsed.error));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unusable(problem: string): PresenceRecord {
  return { kind: 'unusable', problem };
}

function firstIssue({ issues: [issue] }: z.ZodError): string {
  return issue === undefined ? 'it is not understood' : `${issue.path.join('.')}: ${issue.message}`;
}

const headerSchema = z.object({ format: z.literal(format), version: z.number() });

const instant = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER);
const count = z.int().nonnegative();
const milliseconds = count;
const name = z.string().max(256);
// The driver gives 64 bits, which may be more than a whole number can hold exactly.
const xidCode = z.number().nonnegative();
const maybe = <T extends z.ZodType>(schema: T) => schema.optional().transform((value) => value);
// A later exporter may know more reasons: one of them must not cost the whole file.
const reason = name.transform(reasonOf);
const timeByReason = z.record(name, milliseconds).transform(addByReason);

function addByReason(times: Readonly<Record<string, number>>): SpentTime['unavailableMs'] {
  return Object.entries(times).reduce((sum, [text, ms]) => plus(sum, reasonOf(text), ms), noTime.unavailableMs);
}

const identitySchema = z.object({
  index: count,
  uuid: name,
  pciBusId: name,
  modelName: name,
  minorNumber: count.optional(),
  serial: name.optional(),
  brand: name.optional(),
  vbiosVersion: name.optional(),
  inforomImageVersion: name.optional(),
  oemInforomVersion: name.optional(),
  eccInforomVersion: name.optional(),
  powerInforomVersion: name.optional(),
});

const gpuSchema = z.object({
  identity: identitySchema,
  state: z.enum(['available', 'unavailable', 'unobserved']),
  reason: maybe(reason),
  lostSinceMs: instant.optional(),
  firstSeenMs: instant,
  lastSeenMs: instant,
  availableMs: milliseconds,
  unavailableMs: timeByReason,
  unobservedMs: milliseconds,
  xids: z.record(z.string().regex(/^\d{1,20}$/), count),
  lastXid: maybe(z.object({ code: xidCode, atMs: instant })),
});

const eventSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['appeared', 'returned']), atMs: instant, uuid: name }),
  z.object({ kind: z.literal('lost'), atMs: instant, uuid: name, reason }),
  z.object({ kind: z.literal('xid'), atMs: instant, uuid: maybe(name), code: xidCode }),
  z.object({ kind: z.literal('counters-restarted'), atMs: instant, epoch: name }),
]);

const presenceSchema: z.ZodType<Presence> = z
  .object({
    gpus: z.record(name, gpuSchema),
    events: z.array(eventSchema),
    counterEpoch: maybe(z.object({ id: name, sinceMs: instant })),
    atMs: maybe(instant),
  })
  .refine(({ gpus }) => Object.entries(gpus).every(([uuid, { identity }]) => uuid === identity.uuid), {
    message: 'a GPU is listed under the UUID of another',
  });
