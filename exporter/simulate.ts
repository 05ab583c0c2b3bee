/** The control endpoints of a simulation: make things happen, end them, see what is going on, and what is true. */

import express, { type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { type FieldError, sendProblem } from './problem.ts';
import { clockAnswer, statusAnswer, truthAnswer } from './source/mock/answers.ts';
import { maxEvents, type SimulationBoard } from './source/mock/board.ts';
import type { SimulatedFleet } from './source/mock/fleet.ts';
import { fieldErrorOf, readMapping, type Spot } from './source/mock/mapping.ts';
import { type Order, type OrderResult, readOrder, readRecovery } from './source/mock/order.ts';
import { readTruthQuery, type TruthQuery } from './source/mock/truth-query.ts';
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
function simulateHandlers(board: SimulationBoard): Readonly<Record<'GET' | 'POST' | 'DELETE', RequestHandler>> {
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

function sendTruth(fleet: SimulatedFleet, request: Request, response: Response): void {
  const spot: Spot = { path: [], mistakes: [] };
  const query = readTruthQuery(request.query, fleet, spot);
  const truths = spot.mistakes.length > 0 ? [] : truthsOf(fleet, query);
  if (spot.mistakes.length > 0) sendInvalid(response, spot.mistakes.map(fieldErrorOf));
  else if (truths === undefined) sendInvalid(response, [tooMuchTruth]);
  else {
    const { fromMs, untilMs } = query.span;
    response.json({ from: fromMs / 1000, to: untilMs / 1000, clock: clockAnswer(fleet.board), gpus: truths });
  }
}

// Undefined where there is more than one answer can bear: the work stops there, as it holds up everything else.
function truthsOf(fleet: SimulatedFleet, { places, span }: TruthQuery): readonly unknown[] | undefined {
  const truths: unknown[] = [];
  let count = 0;
  for (const place of places) {
    const intervals = fleet.truth(place, span);
    count += intervals.length;
    if (count > maxIntervals) return undefined;
    truths.push(truthAnswer(fleet, place, intervals));
  }
  return truths;
}

const tooMuchTruth: FieldError = {
  field: 'from',
  problem: `and to hold more than ${maxIntervals} intervals`,
  fix: 'ask for less time, or for one node',
};

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
