/** Which nodes a simulated fleet has, of which models, and how their GPUs behave: from the settings, and from a timeline. */

import { z } from 'zod';
import { type Behaviour, behaviours } from './behaviours.ts';
import { below, type Fields, note, readMapping, type Spot } from './mapping.ts';
import { type NodePlan, resolved } from './plan.ts';
import { a100Sxm80, type GpuProfile, profiles } from './profiles.ts';
import type { ScheduledEvent } from './schedule.ts';
import { lookUp, placeShape, readPlace } from './written-event.ts';

/** What the settings of the exporter say of the fleet. */
export interface FleetSettings {
  readonly seed: number;
  readonly nodes: number;
  /** Of all nodes together. */
  readonly gpus: number;
  /** A model, or models with their weights: `a100`, `a100:3,h100:1`. */
  readonly profile: string;
  /** Behaviours, each with the share of the GPUs it is meant for: `hot`, `flapping:5%,aging:20%`. */
  readonly behaviour: string;
}

export interface Fleet {
  readonly seed: number;
  readonly nodes: readonly NodePlan[];
  /** The behaviours its GPUs are made with. */
  readonly behaviours: readonly Omit<ScheduledEvent, 'id'>[];
}

/** Where mistakes go. */
export interface FleetSpots {
  readonly settings: Spot;
  /** The fleet section of the timeline. */
  readonly section: Spot;
}

/** One model, and how many parts of the fleet are of it. */
interface ModelWeight {
  readonly profile: GpuProfile;
  readonly weight: number;
}

const profileTable: ReadonlyMap<string, GpuProfile> = new Map(Object.entries(profiles));
const behaviourTable: ReadonlyMap<string, Behaviour> = new Map(Object.entries(behaviours));
const maxGpus = 10_000;

const count = (what: string) =>
  z.int().min(1).max(maxGpus).optional().describe(`${what}, a whole number from 1 to ${maxGpus}`);

const percent = z
  .string()
  .regex(/^(100(\.0+)?|\d{1,2}(\.\d{1,6})?)%$/)
  .transform((text) => Number(text.slice(0, -1)) / 100);

const describeShare = 'a share in percent from 0% to 100%, such as 5%';

const sectionShape = {
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional()
    .describe('a whole number from 0 to 4294967295'),
  nodes: count('the number of nodes'),
  gpus_per_node: count('the number of GPUs of each node'),
  profile: z
    .union([z.string(), z.record(z.string(), z.int().min(1).max(99_999))])
    .optional()
    .describe('a model, or models with whole numbers as their weights: {a100: 3, h100: 1}'),
  behaviours: z.array(z.unknown()).optional().describe('a list of behaviours'),
};

const ruleShape = {
  behaviour: z.string().describe('a behaviour'),
  share: percent.optional().describe(describeShare),
  ...placeShape,
};

/** The fleet of the settings, with what the section of the timeline says instead. */
export function readFleet(section: unknown, settings: FleetSettings, spots: FleetSpots): Fleet {
  const fields = readMapping(section, sectionShape, spots.section);
  const nodes = readNodes(fields, settings, spots);
  const { seed = settings.seed, behaviours: rules } = fields;
  const ruled = (rules ?? []).flatMap((rule, nth) =>
    readRule(rule, nodes, below(below(spots.section, 'behaviours'), nth)),
  );
  const asked = readShares(settings.behaviour, below(spots.settings, 'MOCK_BEHAVIOUR'));
  return { seed, nodes, behaviours: rules === undefined ? asked : ruled };
}

function readNodes(
  fields: Fields<typeof sectionShape>,
  settings: FleetSettings,
  spots: FleetSpots,
): readonly NodePlan[] {
  const { nodes = settings.nodes, gpus_per_node: perNode } = fields;
  const models = readModels(fields.profile, settings, spots);
  const gpus = perNode === undefined ? Math.max(nodes, settings.gpus) : perNode * nodes;
  if (gpus > maxGpus)
    note(below(spots.section, 'gpus_per_node'), `makes ${gpus} GPUs`, `stay at ${maxGpus} for all nodes`);
  return spread(nodes, Math.min(gpus, maxGpus), models.length === 0 ? anyModel : models);
}

// What is said of nodes and GPUs is checked even where their model could not be understood.
const anyModel: readonly ModelWeight[] = [{ profile: a100Sxm80, weight: 1 }];

function readModels(
  written: string | Readonly<Record<string, number>> | undefined,
  { profile }: FleetSettings,
  { settings, section }: FleetSpots,
): readonly ModelWeight[] {
  if (written === undefined) return readWeights(profile, below(settings, 'MOCK_PROFILE'));
  const weights =
    typeof written === 'string'
      ? written
      : Object.entries(written)
          .map((pair) => pair.join(':'))
          .join();
  return readWeights(weights, below(section, 'profile'));
}

function readWeights(text: string, spot: Spot): readonly ModelWeight[] {
  return parts(text).flatMap(([name, weight = '1']) => {
    const profile = lookUp(name, profileTable, spot);
    const isWeight = /^[1-9]\d{0,4}$/.test(weight);
    if (!isWeight)
      note(spot, `gives ${name} the weight ${JSON.stringify(weight)}`, 'give a whole number from 1: a100:3,h100:1');
    return profile === undefined || !isWeight ? [] : [{ profile, weight: Number(weight) }];
  });
}

function readShares(text: string, spot: Spot): Fleet['behaviours'] {
  return parts(text).flatMap(([name, written = '100%']) => {
    const behaviour = lookUp(name, behaviourTable, spot);
    const share = percent.safeParse(written);
    if (!share.success) note(spot, `gives ${name} the share ${JSON.stringify(written)}`, `give ${describeShare}`);
    if (behaviour === undefined || !share.success) return [];
    return [lasting(String(name), behaviour, { nodes: undefined, gpus: undefined, share: share.data })];
  });
}

function parts(text: string): readonly (readonly string[])[] {
  return text.split(',').map((part) => part.split(':', 2).map((word) => word.trim()));
}

function readRule(value: unknown, nodes: readonly NodePlan[], spot: Spot): Fleet['behaviours'] {
  const before = spot.mistakes.length;
  const fields = readMapping(value, ruleShape, spot);
  if (fields.behaviour === undefined) return [];
  const behaviour = lookUp(fields.behaviour, behaviourTable, below(spot, 'behaviour'));
  const place = readPlace(fields, { nodes, unsaid: 'all' }, spot);
  if (behaviour === undefined || spot.mistakes.length > before) return [];
  const target = { nodes: resolved(place.nodes, undefined), gpus: resolved(place.gpus, undefined) };
  return [lasting(fields.behaviour, behaviour, { ...target, share: fields.share })];
}

function lasting(name: string, { effects }: Behaviour, target: ScheduledEvent['target']): Omit<ScheduledEvent, 'id'> {
  const always = { fromMs: 0, untilMs: Number.POSITIVE_INFINITY, announcedMs: Number.POSITIVE_INFINITY };
  return { name, effects, target, ...always };
}

// GPUs evenly over the nodes, models over the nodes by their weights and in the order in which they are given.
function spread(nodes: number, gpus: number, models: readonly ModelWeight[]): readonly NodePlan[] {
  const total = models.reduce((sum, { weight }) => sum + weight, 0);
  return Array.from({ length: nodes }, (_, nth) => ({
    name: `node-${nth}`,
    gpus: Math.floor(gpus / nodes) + (nth < gpus % nodes ? 1 : 0),
    profile: modelAt(models, ((nth + 0.5) / nodes) * total),
  }));
}

function modelAt(models: readonly ModelWeight[], position: number): GpuProfile {
  let passed = 0;
  for (const { profile, weight } of models) {
    passed += weight;
    if (position < passed) return profile;
  }
  throw new RangeError(`no model at ${position} of ${passed}`);
}
