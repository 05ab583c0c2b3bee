/**
 * Plans a simulated fleet from the settings of the exporter and, where there is one, a timeline: a YAML file with the fleet,
 * what happens to it when, and scenarios to start by name. What the timeline says of the fleet wins over the settings.
 */

import { z } from 'zod';
import { type Diagnostic, renderDiagnostics } from '../../diagnostic.ts';
import { type FleetSettings, readFleet } from './fleet-section.ts';
import { below, type Mistake, nameOf, noteKey, readMapping, type Spot } from './mapping.ts';
import { namedScenarios } from './named-scenarios.ts';
import { type FleetPlan, type NodePlan, type PlannedEvent, resolved, type ScenarioPlan } from './plan.ts';
import type { ScheduledEvent } from './schedule.ts';
import { readEvent } from './written-event.ts';
import { type Locate, readPlacedData } from './yaml-places.ts';

export interface TimelineFile {
  /** Shown in messages; the file is not read here. */
  readonly file: string;
  readonly source: string;
}

export type PlanResult =
  | { readonly kind: 'planned'; readonly plan: FleetPlan }
  /** Each may have several lines. */
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

const list = z.array(z.unknown()).optional().describe('a list of events');

const fileShape = {
  fleet: z.unknown().optional(),
  events: list,
  scenarios: z.record(z.string(), z.unknown()).optional().describe('scenarios by their names'),
};

const scenarioShape = {
  what: z.string().min(1).max(300).describe('what the scenario shows, in one sentence'),
  events: z.array(z.unknown()).min(1).describe('a list of at least one event'),
};

/** The whole plan, or everything that is wrong with the settings and the timeline. */
export function planFleet(settings: FleetSettings, timeline?: TimelineFile): PlanResult {
  const yaml = readPlacedData(timeline?.source ?? '');
  if (yaml.kind === 'broken') return { kind: 'invalid', problems: rendered(timeline, yaml.diagnostics) };
  const asked: Spot = { path: [], mistakes: [] };
  const written: Spot = { path: [], mistakes: [] };
  const plan = readPlan(yaml.value ?? {}, settings, { asked, written });
  const problems = [
    ...asked.mistakes.map(({ path, problem, fix }) => `${nameOf(path)} ${problem}: ${fix}.`),
    ...rendered(timeline, diagnosticsOf(written.mistakes, yaml.locate)),
  ];
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'planned', plan };
}

function rendered(timeline: TimelineFile | undefined, diagnostics: readonly Diagnostic[]): readonly string[] {
  const { file = 'timeline', source = '' } = timeline ?? {};
  return renderDiagnostics(file, source.split(/\r\n|\r|\n/), diagnostics);
}

function diagnosticsOf(mistakes: readonly Mistake[], locate: Locate): readonly Diagnostic[] {
  return mistakes.map(({ path, part, problem, fix }) => ({
    ...locate(path, part),
    message: `${nameOf(path)} ${problem}`,
    fix,
  }));
}

function readPlan(
  value: unknown,
  settings: FleetSettings,
  { asked, written }: { asked: Spot; written: Spot },
): FleetPlan {
  const { fleet = {}, events = [], scenarios = {} } = readMapping(value, fileShape, written);
  const { seed, nodes, behaviours } = readFleet(fleet, settings, { settings: asked, section: below(written, 'fleet') });
  const own = readScenarios(scenarios, nodes, below(written, 'scenarios'));
  const all = [...namedScenarios, ...own];
  const vocabulary = { nodes, scenarios: new Map(all.map((one) => [one.name, one])), unsaid: 'all' as const };
  const planned = events.flatMap((event, nth) => readEvent(event, vocabulary, below(below(written, 'events'), nth)));
  const scheduled = [...behaviours, ...planned.map(scheduledEvent)];
  return { seed, nodes, scenarios: all, events: scheduled.map((event, id) => ({ ...event, id })) };
}

function scheduledEvent({ name, effects, fromMs, untilMs, nodes, gpus }: PlannedEvent): Omit<ScheduledEvent, 'id'> {
  const target = { nodes: resolved(nodes, undefined), gpus: resolved(gpus, undefined) };
  return { name, effects, fromMs, untilMs, target, announcedMs: fromMs };
}

function readScenarios(
  written: Readonly<Record<string, unknown>>,
  nodes: readonly NodePlan[],
  spot: Spot,
): readonly ScenarioPlan[] {
  return Object.entries(written).flatMap(([name, value]) =>
    readScenario(name, value, { nodes, spot: below(spot, name) }),
  );
}

function readScenario(
  name: string,
  value: unknown,
  { nodes, spot }: { readonly nodes: readonly NodePlan[]; readonly spot: Spot },
): readonly ScenarioPlan[] {
  const isName = /^[a-z][a-z0-9-]{0,49}$/.test(name);
  const isTaken = namedScenarios.some((scenario) => scenario.name === name);
  if (!isName) noteKey(spot, 'is no name for a scenario', 'give lower-case letters, digits and hyphens');
  if (isTaken) noteKey(spot, 'comes with the exporter', 'choose another name');
  const { what, events } = readMapping(value, scenarioShape, spot);
  const vocabulary = { nodes, scenarios: undefined, unsaid: 'chosen' as const };
  const planned = events?.flatMap((event, nth) => readEvent(event, vocabulary, below(below(spot, 'events'), nth)));
  const isUsable = isName && !isTaken && what !== undefined && planned !== undefined;
  return isUsable ? [{ name, what, events: planned }] : [];
}
