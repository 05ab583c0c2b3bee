/** GPUd's API over the exporter's own readings, for clients that know GPUd: states, events, raw metrics and its health. */

import type { Request, RequestHandler, Response } from 'express';
import type { CollectorState } from '../collector.ts';
import { refuse, send, sendAnyhow } from './answer.ts';
import { healthz } from './api.ts';
import { events } from './events.ts';
import { gpuMetrics } from './gpu-metrics.ts';
import { readNames, readSpan } from './query.ts';
import type { GpudReading } from './reading.ts';
import type { Slowdown } from './slowdown.ts';
import { listedNames, states } from './states.ts';

export interface GpudParts {
  readonly state: () => Pick<CollectorState, 'snapshot' | 'failure' | 'presence'>;
  /** What the slowdown watch has seen. */
  readonly slowdowns: () => readonly Slowdown[];
  /** What an XID means, in a few words. */
  readonly xidText: (code: number) => string;
  /** Milliseconds since the epoch, on the clock of the snapshots. */
  readonly now: () => number;
}

/** Handlers by path and method. */
export type GpudRoutes = Readonly<Record<string, Readonly<Record<'GET', RequestHandler>>>>;

export function gpudRoutes({ state, slowdowns, xidText, now }: GpudParts): GpudRoutes {
  const reading = (): GpudReading => ({ ...state(), slowdowns: slowdowns(), xidText });
  return {
    '/v1/states': { GET: (request, response) => sendStates(request, response, { reading: reading(), atMs: now() }) },
    '/v1/events': { GET: (request, response) => sendEvents(request, response, { reading: reading(), atMs: now() }) },
    '/v1/gpu': { GET: (request, response) => send(request, response, gpuMetrics(reading(), now())) },
    '/healthz': { GET: (request, response) => sendAnyhow(request, response, healthz) },
  };
}

interface Occasion {
  readonly reading: GpudReading;
  readonly atMs: number;
}

async function sendStates(request: Request, response: Response, { reading, atMs }: Occasion): Promise<void> {
  const names = readNames(request.query);
  if (names.kind === 'refused') refuse(response, names.problem);
  else await send(request, response, states(reading, names.value ?? listedNames(reading), atMs));
}

async function sendEvents(request: Request, response: Response, { reading, atMs }: Occasion): Promise<void> {
  const names = readNames(request.query);
  const span = readSpan(request.query, atMs);
  if (names.kind === 'refused') refuse(response, names.problem);
  else if (span.kind === 'refused') refuse(response, span.problem);
  else await send(request, response, events(reading, { names: names.value ?? listedNames(reading), ...span.value }));
}
