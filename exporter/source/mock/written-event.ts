/** One event of a timeline as a person writes it: what happens, whom it strikes, from when to when. */

import { z } from 'zod';
import { parseDuration } from '../../duration.ts';
import { nearestNames } from '../../nearest-name.ts';
import { behaviourKinds, type FaultKind, faultKinds } from './faults.ts';
import { below, type Fields, isMapping, note, readMapping, type Spot, shown } from './mapping.ts';
import {
  asksFor,
  type Choice,
  type NodePlan,
  type PlannedEvent,
  placeKeys,
  resolved,
  type ScenarioPlan,
} from './plan.ts';

/** What an event may speak of. */
export interface Vocabulary {
  readonly nodes: readonly NodePlan[];
  /** Scenarios by name; undefined where none may be started. */
  readonly scenarios: ReadonlyMap<string, ScenarioPlan> | undefined;
  /** Whom an event strikes that does not say. */
  readonly unsaid: Choice;
}

const describeDuration = 'a duration such as 90s, 10m or 1h30m';

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined)
  .transform((text) => parseDuration(text) ?? Number.NaN)
  .describe(describeDuration);

const word = z.string().min(1).max(100).describe('a name');
const index = z.int().min(0);

/** Keys that say whom something strikes. */
export const placeShape = {
  node: z
    .union([word, z.array(word).min(1)])
    .optional()
    .describe('the name of a node such as node-3, a list of names, or all'),
  gpu: z
    .union([index, z.array(index).min(1), z.literal('all')])
    .optional()
    .describe('the index of a GPU such as 2, a list of them, or all'),
};
const start = { at: duration };
const end = {
  until: duration.optional().describe(describeDuration),
  for: duration.optional().describe(describeDuration),
};

type Place = Fields<typeof placeShape>;
type Times = Fields<typeof start & typeof end>;

const kinds = ['fault', 'behaviour', 'scenario'] as const;
type Kind = (typeof kinds)[number];

/** The events that one entry plans; none, and mistakes noted, where it cannot be understood. */
export function readEvent(value: unknown, vocabulary: Vocabulary, spot: Spot): readonly PlannedEvent[] {
  if (!isMapping(value)) {
    note(spot, `is ${shown(value)}`, 'write at, what happens, and whom it strikes');
    return [];
  }
  const possible: readonly Kind[] =
    vocabulary.scenarios === undefined ? kinds.filter((one) => one !== 'scenario') : kinds;
  const given = kinds.filter((one) => value[one] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1 || !possible.includes(kind)) {
    const problem = kind === undefined ? 'says nothing that happens' : `has ${given.join(' and ')}`;
    note(spot, problem, `give one of ${possible.join(', ')}`);
    return [];
  }
  return kind === 'scenario' ? readScenario(value, vocabulary, spot) : readStrike(value, kind, { vocabulary, spot });
}

type Mapping = Readonly<Record<string, unknown>>;

function readStrike(
  value: Mapping,
  kind: Exclude<Kind, 'scenario'>,
  { vocabulary, spot }: { readonly vocabulary: Vocabulary; readonly spot: Spot },
): readonly PlannedEvent[] {
  const known = kind === 'fault' ? faultKinds : behaviourKinds;
  const found = lookUp(value[kind], known, below(spot, kind));
  if (found === undefined) return [];
  const shape = { ...start, ...end, [kind]: word, ...placeShape, ...found.parameters };
  const before = spot.mistakes.length;
  const fields: Mapping = readMapping(value, shape, spot);
  const times = readTimes(fields, found, spot);
  const { nodes, gpus } = readPlace(fields, vocabulary, spot);
  const isForNodes = found.scope === 'node';
  if (isForNodes && fields.gpu !== undefined)
    note(below(spot, 'gpu'), `is ${shown(value.gpu)}`, `remove it: ${value[kind]} strikes a whole node`);
  if (spot.mistakes.length > before) return [];
  const values = Object.fromEntries(Object.keys(found.parameters).map((name) => [name, fields[name]]));
  const effects = found.effects(values);
  return [{ name: String(value[kind]), effects, ...times, nodes, gpus: isForNodes ? 'all' : gpus }];
}

function readTimes(fields: Times, { lastsMs }: FaultKind, spot: Spot): Pick<PlannedEvent, 'fromMs' | 'untilMs'> {
  const { at: fromMs = 0, until } = fields;
  if (until !== undefined && fields.for !== undefined)
    note(below(spot, 'for'), 'is given beside until', 'keep one of the two');
  const untilMs = until ?? fromMs + (fields.for ?? lastsMs);
  const isInstant = lastsMs === 0;
  const given = until === undefined ? 'for' : 'until';
  if (isInstant && untilMs !== fromMs) note(below(spot, given), 'is given', 'remove it: this happens at an instant');
  if (!isInstant && untilMs <= fromMs) note(below(spot, given), 'is not after the start', 'give a later one');
  return { fromMs, untilMs };
}

/** Whom something strikes; names that do not exist are mistakes. */
export function readPlace(
  fields: Place,
  { nodes, unsaid }: Pick<Vocabulary, 'nodes' | 'unsaid'>,
  spot: Spot,
): { readonly nodes: Choice; readonly gpus: Choice } {
  const chosen = fields.node === undefined ? unsaid : readNodes(fields.node, nodes, below(spot, 'node'));
  const struck = typeof chosen === 'string' ? nodes : chosen.flatMap((nth) => nodes[nth] ?? []);
  const fewest = Math.min(...struck.map(({ gpus }) => gpus));
  return { nodes: chosen, gpus: fields.gpu === undefined ? unsaid : readGpus(fields.gpu, fewest, below(spot, 'gpu')) };
}

function readNodes(written: string | readonly string[], nodes: readonly NodePlan[], spot: Spot): Choice {
  if (written === 'all') return 'all';
  const names = typeof written === 'string' ? [written] : written;
  return names.map((name) => {
    const found = nodes.findIndex((node) => node.name === name);
    if (found < 0) note(spot, `is ${shown(name)}`, nodeFix(nodes));
    return found;
  });
}

function nodeFix(nodes: readonly NodePlan[]): string {
  return nodes.length === 1
    ? `there is only ${nodes[0]?.name}`
    : `give one of ${nodes[0]?.name} to ${nodes.at(-1)?.name}, or all`;
}

function readGpus(written: number | readonly number[] | 'all', gpus: number, spot: Spot): Choice {
  if (written === 'all') return 'all';
  const indices = typeof written === 'number' ? [written] : written;
  const tooHigh = indices.find((one) => one >= gpus);
  if (tooHigh !== undefined)
    note(spot, `is ${tooHigh}`, gpus === 1 ? 'give 0: there is one GPU' : `give 0 to ${gpus - 1}`);
  return indices;
}

const scenarioShape = { ...start, scenario: word, ...placeShape };

function readScenario(value: Mapping, vocabulary: Vocabulary, spot: Spot): readonly PlannedEvent[] {
  const scenario = lookUp(
    value.scenario,
    vocabulary.scenarios ?? new Map<string, ScenarioPlan>(),
    below(spot, 'scenario'),
  );
  if (scenario === undefined) return [];
  const before = spot.mistakes.length;
  const fields = readMapping(value, scenarioShape, spot);
  const { nodes, gpus } = readPlace(fields, vocabulary, spot);
  for (const [key, asked] of placeKeys)
    if (asksFor(scenario, asked) && fields[key] === undefined)
      note(below(spot, key), 'is missing', `say for which ${key}, or all`);
  if (spot.mistakes.length > before) return [];
  const { at = 0 } = fields;
  return scenario.events.map((event) => ({
    ...event,
    fromMs: at + event.fromMs,
    untilMs: at + event.untilMs,
    nodes: resolved(event.nodes, toIndices(nodes)) ?? 'all',
    gpus: resolved(event.gpus, toIndices(gpus)) ?? 'all',
  }));
}

function toIndices(choice: Choice): readonly number[] | undefined {
  return typeof choice === 'string' ? undefined : choice;
}

/** What a table holds under a name; undefined, and the nearest names noted, where it holds nothing. */
export function lookUp<T>(name: unknown, table: ReadonlyMap<string, T>, spot: Spot): T | undefined {
  const found = typeof name === 'string' ? table.get(name) : undefined;
  if (found !== undefined) return found;
  const [nearest] = typeof name === 'string' ? nearestNames(name, [...table.keys()], 1) : [];
  const names = [...table.keys()].join(', ');
  note(
    spot,
    `is ${shown(name)}`,
    nearest === undefined ? `give one of ${names}` : `write ${nearest}; there are ${names}`,
  );
  return undefined;
}
