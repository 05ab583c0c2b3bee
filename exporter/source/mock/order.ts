/** What a client of the control endpoint asks for, read from the JSON it sends. */

import { z } from 'zod';
import type { FieldError } from '../../problem.ts';
import type { Strike } from './board.ts';
import { behaviourKinds, type FaultKind, faultKinds } from './faults.ts';
import { below, fieldErrorOf, isMapping, note, readMapping, type Spot } from './mapping.ts';
import { asksFor, type FleetPlan, placeKeys, type ScenarioPlan } from './plan.ts';
import { lookUp } from './written-event.ts';

export type Order =
  | { readonly kind: 'strike'; readonly strike: Strike }
  | { readonly kind: 'start'; readonly scenario: ScenarioPlan; readonly node: number; readonly gpu: number }
  | { readonly kind: 'recover'; readonly node: number | undefined; readonly gpu: number | undefined };

export type OrderResult =
  | { readonly kind: 'understood'; readonly order: Order }
  | { readonly kind: 'wrong'; readonly errors: readonly FieldError[] };

const maxSeconds = 86_400;
const example = '{"gpu": 3, "fault": "hot", "seconds": 60}';
const gpuIndex = 'the index of a GPU, a whole number from 0';
const node = z.string().max(100).optional().describe('the name of a node');
const anything = z.unknown();

const seconds = z
  .number()
  .positive()
  .max(maxSeconds)
  .optional()
  .describe(`a number above 0 and at most ${maxSeconds}, or leave it out to keep the fault until it is cleared`);

/** Reads the body of a POST; a node that is not named is the first. */
export function readOrder(body: unknown, plan: FleetPlan): OrderResult {
  const spot: Spot = { path: [], mistakes: [] };
  const order = isMapping(body) ? readBody(body, plan, spot) : undefined;
  if (!isMapping(body))
    note(spot, 'is no JSON object', `send one with Content-Type application/json, for example ${example}`);
  if (spot.mistakes.length === 0 && order !== undefined) return { kind: 'understood', order };
  return { kind: 'wrong', errors: spot.mistakes.map(fieldErrorOf) };
}

/** Reads the query of a DELETE: everything, or what is going on at one node or GPU. */
export function readRecovery(query: unknown, plan: FleetPlan): OrderResult {
  const spot: Spot = { path: [], mistakes: [] };
  const fields = readMapping(query, { node, gpu: decimal }, spot);
  const order = recovery(fields, plan, spot);
  return spot.mistakes.length === 0
    ? { kind: 'understood', order }
    : { kind: 'wrong', errors: spot.mistakes.map(fieldErrorOf) };
}

const decimal = z
  .string()
  .regex(/^\d{1,6}$/)
  .transform(Number)
  .optional()
  .describe(gpuIndex);

type Mapping = Readonly<Record<string, unknown>>;

function readBody(body: Mapping, plan: FleetPlan, spot: Spot): Order | undefined {
  if (body.scenario !== undefined) return readStart(body, plan, spot);
  if (body.behaviour !== undefined)
    return readStrike(body, { key: 'behaviour', known: behaviourKinds }, { plan, spot });
  if (body.fault === 'recover') return readRecover(body, plan, spot);
  return readStrike(body, { key: 'fault', known: faultKinds }, { plan, spot });
}

interface Table {
  readonly key: 'fault' | 'behaviour';
  readonly known: ReadonlyMap<string, FaultKind>;
}

function readStrike(
  body: Mapping,
  { key, known }: Table,
  { plan, spot }: { plan: FleetPlan; spot: Spot },
): Order | undefined {
  const kind = known.get(String(body[key]));
  const shape = { node, gpu: anything, [key]: anything, seconds, ...kind?.parameters };
  const fields: Mapping = readMapping(body, shape, spot);
  const struck = nodeNamed(fields.node, plan, spot);
  const gpu = kind?.scope === 'node' ? noGpu(body, spot) : gpuOf(body.gpu, { plan, node: struck }, spot);
  const name = nameOf(body[key], { key, known }, spot);
  if (kind === undefined) return undefined;
  if (kind.lastsMs === 0 && fields.seconds !== undefined)
    note(below(spot, 'seconds'), 'is given', `remove it: ${name} happens at an instant`);
  if (spot.mistakes.length > 0) return undefined;
  const lastsMs = typeof fields.seconds === 'number' ? fields.seconds * 1000 : kind.lastsMs;
  const values = Object.fromEntries(Object.keys(kind.parameters).map((parameter) => [parameter, fields[parameter]]));
  return { kind: 'strike', strike: { name, effects: kind.effects(values), node: struck, gpu, lastsMs } };
}

function nameOf(name: unknown, { key, known }: Table, spot: Spot): string {
  const names = key === 'fault' ? new Map([...known, ['recover', undefined]]) : known;
  if (name === undefined) note(below(spot, key), 'is missing', `give one of ${[...names.keys()].join(', ')}`);
  else if (!known.has(String(name))) lookUp(name, names, below(spot, key));
  return String(name);
}

function readRecover(body: Mapping, plan: FleetPlan, spot: Spot): Order {
  const gpu = z.int().min(0).optional().describe(gpuIndex);
  return recovery(readMapping(body, { node, gpu, fault: anything }, spot), plan, spot);
}

// A GPU without a node is one of the first node; neither means everything.
function recovery(
  place: { readonly node?: string | undefined; readonly gpu?: number | undefined },
  plan: FleetPlan,
  spot: Spot,
): Order {
  const { gpu } = place;
  const named = place.node === undefined ? undefined : nodeNamed(place.node, plan, spot);
  if (gpu !== undefined) gpuOf(gpu, { plan, node: named ?? 0 }, spot);
  return { kind: 'recover', node: gpu === undefined ? named : (named ?? 0), gpu };
}

function readStart(body: Mapping, plan: FleetPlan, spot: Spot): Order | undefined {
  const fields = readMapping(body, { scenario: anything, node, gpu: anything }, spot);
  const scenarios = new Map(plan.scenarios.map((scenario) => [scenario.name, scenario]));
  const scenario = lookUp(body.scenario, scenarios, below(spot, 'scenario'));
  if (scenario === undefined) return undefined;
  for (const [key, asked] of placeKeys)
    if (body[key] !== undefined && !asksFor(scenario, asked))
      note(below(spot, key), 'is given', `remove it: ${scenario.name} strikes all`);
  const struck = nodeNamed(fields.node, plan, spot);
  const gpu = body.gpu === undefined ? 0 : gpuOf(body.gpu, { plan, node: struck }, spot);
  return { kind: 'start', scenario, node: struck, gpu };
}

function nodeNamed(name: unknown, { nodes }: FleetPlan, spot: Spot): number {
  if (name === undefined) return 0;
  const found = nodes.findIndex((node) => node.name === name);
  const names =
    nodes.length === 1 ? `give ${nodes[0]?.name}` : `give one of ${nodes[0]?.name} to ${nodes.at(-1)?.name}`;
  if (found < 0) note(below(spot, 'node'), `is ${JSON.stringify(name)}`, `${names}, or leave it out for the first`);
  return Math.max(0, found);
}

function noGpu(body: Mapping, spot: Spot): undefined {
  if (body.gpu !== undefined) note(below(spot, 'gpu'), 'is given', `remove it: ${body.fault} strikes a whole node`);
}

function gpuOf(
  value: unknown,
  { plan, node }: { readonly plan: FleetPlan; readonly node: number },
  spot: Spot,
): number {
  const last = (plan.nodes[node]?.gpus ?? 1) - 1;
  const index = z.int().min(0).max(last).describe(`the index of a GPU, a whole number from 0 to ${last}`);
  return readMapping({ gpu: value }, { gpu: index }, spot).gpu ?? 0;
}
