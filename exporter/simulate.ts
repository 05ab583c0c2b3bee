/** The control endpoints of a simulation: make things happen, end them, see what is going on, and what is true. */

import express, { type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { type FieldError, sendProblem } from './problem.ts';
import { clockAnswer, statusAnswer, truthAnswer } from './source/mock/answers.ts';
import { maxEvents, type SimulationBoard } from './source/mock/board.ts';
import type { Span } from './source/mock/effects.ts';
import type { SimulatedFleet } from './source/mock/fleet.ts';
import { fieldErrorOf, readMapping, type Spot } from './source/mock/mapping.ts';
import { type Order, type OrderResult, readOrder, readRecovery } from './source/mock/order.ts';
import type { GpuPlace } from './source/mock/schedule.ts';
import type { TruthInterval } from './source/mock/truth.ts';
import { writeGuard } from './web/caller.ts';

type Handlers = Readonly<Record<string, RequestHandler>>;

const maxAdvanceSeconds = 604_800;
const maxIntervals = 100_000;
const parseBody = express.json({ limit: '4kb' });

/** Handlers by path and method; each checks the caller before it looks at the request. */
export function simulationRoutes(fleet: SimulatedFleet): Readonly<Record<string, Handlers>> {
  const { board } = fleet;
  return {
    '/api/v1/simulate': simulateHandlers(board),
    '/api/v1/simulate/clock': {
      GET: writeGuard((_request, response: Response) => void response.json(clockAnswer(board))),
      POST: withBody((request, response) => advance(board, request, response)),
    },
    '/api/v1/simulate/truth': {
      GET: writeGuard((request: Request, response: Response) => sendTruth(fleet, request, response)),
    },
  };
}

/** Handlers of `/api/v1/simulate` by method. */
export function simulateHandlers(board: SimulationBoard): Readonly<Record<'GET' | 'POST' | 'DELETE', RequestHandler>> {
  return {
    GET: writeGuard((_request, response: Response) => void response.json(statusAnswer(board))),
    POST: withBody((request, response) => carryOut(board, readOrder(request.body, board.plan), response)),
    DELETE: writeGuard((request: Request, response: Response) =>
      carryOut(board, readRecovery(request.query, board.plan), response),
    ),
  };
}

function withBody(handler: (request: Request, response: Response) => void): RequestHandler {
  return writeGuard((request: Request, response: Response, next: (error: unknown) => void) => {
    parseBody(request, response, (error?: unknown) => (error ? next(error) : handler(request, response)));
  });
}

function carryOut(board: SimulationBoard, result: OrderResult, response: Response): void {
  if (result.kind === 'wrong') sendInvalid(response, result.errors);
  else if (apply(board, result.order)) response.json(statusAnswer(board));
  else sendTooMany(response);
}

function apply(board: SimulationBoard, order: Order): boolean {
  if (order.kind === 'strike') return board.strike(order.strike);
  if (order.kind === 'start') return board.start(order.scenario, order);
  board.clear(order);
  return true;
}

const advanceShape = {
  advance_seconds: z
    .number()
    .positive()
    .max(maxAdvanceSeconds)
    .describe(`seconds of simulated time, a number above 0 and at most ${maxAdvanceSeconds}`),
};

function advance(board: SimulationBoard, request: Request, response: Response): void {
  const spot: Spot = { path: [], mistakes: [] };
  const { advance_seconds: advanceSeconds } = readMapping(request.body ?? {}, advanceShape, spot);
  if (advanceSeconds === undefined || spot.mistakes.length > 0) {
    sendInvalid(response, spot.mistakes.map(fieldErrorOf));
    return;
  }
  board.clock.advance(advanceSeconds * 1000);
  response.json(clockAnswer(board));
}

const instant = z
  .string()
  .max(40)
  .transform(instantOf)
  .refine((ms) => Number.isFinite(ms))
  .optional()
  .describe('seconds since the epoch, or a date such as 2026-01-01T00:00:00Z');

const truthShape = {
  from: instant,
  to: instant,
  node: z.string().optional().describe('the name of a node'),
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

function sendTruth(fleet: SimulatedFleet, request: Request, response: Response): void {
  const spot: Spot = { path: [], mistakes: [] };
  const {
    from = startMs(fleet),
    to = fleet.board.clock.now(),
    node,
    gpu,
  } = readMapping(request.query, truthShape, spot);
  const places = placesOf(fleet, node, gpu);
  if (to <= from)
    spot.mistakes.push({ path: ['to'], part: 'value', problem: 'is not after from', fix: 'give a later one' });
  if (places.length === 0)
    spot.mistakes.push({
      path: ['node'],
      part: 'value',
      problem: 'has no such GPU',
      fix: 'name a node and GPU of the fleet',
    });
  if (spot.mistakes.length > 0) sendInvalid(response, spot.mistakes.map(fieldErrorOf));
  else answerTruth(fleet, places, { span: { fromMs: from, untilMs: to }, response });
}

function answerTruth(
  fleet: SimulatedFleet,
  places: readonly GpuPlace[],
  { span, response }: { readonly span: Span; readonly response: Response },
): void {
  const truths: { readonly place: GpuPlace; readonly intervals: readonly TruthInterval[] }[] = [];
  let count = 0;
  for (const place of places) {
    const intervals = fleet.truth(place, span);
    count += intervals.length;
    if (count > maxIntervals) break;
    truths.push({ place, intervals });
  }
  if (count > maxIntervals) sendInvalid(response, [tooMuchTruth]);
  else {
    const gpus = truths.map(({ place, intervals }) => truthAnswer(fleet, place, intervals));
    response.json({ from: span.fromMs / 1000, to: span.untilMs / 1000, clock: clockAnswer(fleet.board), gpus });
  }
}

const tooMuchTruth: FieldError = {
  field: 'from',
  problem: `and to hold more than ${maxIntervals} intervals`,
  fix: 'ask for less time, or for one node',
};

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

function sendInvalid(response: Response, errors: readonly FieldError[]): void {
  const detail = 'The simulation cannot do what is asked; each entry of "errors" says what to change.';
  sendProblem(response, { status: 400, title: 'Invalid simulation request', detail, errors });
}

function sendTooMany(response: Response): void {
  sendProblem(response, {
    status: 409,
    title: 'Too many simulated faults',
    detail: `More than ${maxEvents} faults were simulated since the exporter started. Start it anew to simulate more.`,
  });
}
