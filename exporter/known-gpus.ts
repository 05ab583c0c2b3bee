/**
 * `/api/v1/gpus`: every GPU that was ever seen, with the time of its whole life, of which published counters hold what was added
 * since the exporter began; and the way to forget one that was taken out for good.
 */

import type { RequestHandler, Response } from 'express';
import type { Collector } from './collector.ts';
import type { GpuPresence } from './presence.ts';
import { type Problem, sendProblem } from './problem.ts';
import type { Routes } from './routes.ts';
import { writeGuard } from './web/caller.ts';

export function knownGpuRoutes(collector: Collector): Routes {
  const forget: RequestHandler<{ uuid: string }> = (request, response) =>
    sendForgetting(collector, request.params.uuid, response);
  return {
    '/api/v1/gpus': { GET: (_request, response) => void response.json({ gpus: gpusOf(collector).map(answerOf) }) },
    '/api/v1/gpus/:uuid': { DELETE: writeGuard(forget) as RequestHandler },
  };
}

function gpusOf(collector: Collector): readonly GpuPresence[] {
  return Object.values(collector.state().presence.gpus).toSorted((a, b) => a.identity.index - b.identity.index);
}

function answerOf({ identity, state, reason, firstSeenMs, lastSeenMs, ...times }: GpuPresence) {
  const { index, uuid, modelName, pciBusId } = identity;
  return {
    gpu: index,
    uuid,
    model: modelName,
    pci_bus_id: pciBusId,
    state,
    reason: reason ?? null,
    first_seen: new Date(firstSeenMs).toISOString(),
    last_seen: new Date(lastSeenMs).toISOString(),
    available_seconds: times.availableMs / 1000,
    unavailable_seconds: mapValues(times.unavailableMs, (ms) => ms / 1000),
    unobserved_seconds: times.unobservedMs / 1000,
    xids: times.xids,
  };
}

function mapValues(values: Readonly<Record<string, number>>, change: (value: number) => number) {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}

function sendForgetting(collector: Collector, uuid: string, response: Response): void {
  const forgetting = collector.forget(uuid);
  if (forgetting === 'forgotten') response.json({ forgotten: uuid });
  else sendProblem(response, forgetting === 'present' ? present(uuid) : unknown(uuid));
}

function present(uuid: string): Problem {
  const detail = `${uuid} was well when it was last seen, so it would come back at once. Take the card out first.`;
  return { status: 409, title: 'The GPU is there', detail };
}

function unknown(uuid: string): Problem {
  const detail = `No GPU ${uuid} was ever seen here; GET /api/v1/gpus lists those that were.`;
  return { status: 404, title: 'Unknown GPU', detail };
}
