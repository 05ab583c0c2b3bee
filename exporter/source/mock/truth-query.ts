/** What a client wants to know the truth about, read from the query it sends. */

import { z } from 'zod';
import type { Span } from './effects.ts';
import type { SimulatedFleet } from './fleet.ts';
import { below, note, readMapping, type Spot } from './mapping.ts';
import type { GpuPlace } from './schedule.ts';

export interface TruthQuery {
  /** On the clock of the exporter. */
  readonly span: Span;
  readonly places: readonly GpuPlace[];
}

const maxDays = 31;
const maxSpanMs = maxDays * 86_400_000;

const instant = z
  .string()
  .max(40)
  .transform(instantOf)
  .refine((ms) => Number.isFinite(ms))
  .optional()
  .describe('seconds since the epoch, or a date such as 2026-01-01T00:00:00Z');

const shape = {
  from: instant,
  to: instant,
  node: z.string().max(100).optional().describe('the name of a node'),
  gpu: z
    .string()
    .regex(/^\d{1,6}$/)
    .transform(Number)
    .optional()
    .describe('the index of a GPU'),
};

function instantOf(text: string): number {
  return /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}

/** Without times from the start of the scenario until now, but 31 days at most; without places every GPU. */
export function readTruthQuery(query: unknown, fleet: SimulatedFleet, spot: Spot): TruthQuery {
  const { to = fleet.board.clock.now(), node, gpu, ...fields } = readMapping(query, shape, spot);
  const from = fields.from ?? Math.max(startMs(fleet), to - maxSpanMs);
  const places = placesOf(fleet, node, gpu);
  if (to < from) note(below(spot, 'to'), 'is before from', 'give a later one');
  if (to - from > maxSpanMs) note(below(spot, 'from'), `is more than ${maxDays} days before to`, 'ask for less time');
  if (places.length === 0)
    note(below(spot, gpu === undefined ? 'node' : 'gpu'), 'is not in the fleet', 'name one that is');
  return { span: { fromMs: from, untilMs: to }, places };
}

// Where the scenario began on the clock of the exporter, which may be before the exporter did.
function startMs({ board: { clock } }: SimulatedFleet): number {
  const [first] = clock.stretches();
  if (first === undefined) return clock.now();
  return clock.speed === 0 ? first.realMs : first.realMs - first.elapsedMs / clock.speed;
}

function placesOf({ nodes }: SimulatedFleet, name: string | undefined, gpu: number | undefined): readonly GpuPlace[] {
  return nodes.flatMap((node, nth) => {
    if (name !== undefined && node.name !== name) return [];
    const indices = Array.from({ length: node.gpus }, (_, index) => index);
    return indices.filter((index) => gpu === undefined || index === gpu).map((index) => ({ node: nth, gpu: index }));
  });
}
