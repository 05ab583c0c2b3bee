/** What Prometheus saw of an agent's GPUs between two pings, in two queries for all agents that are asked about at once. */
import type { Agent } from '../core/ping/agent.ts';
import type { Sighting } from '../core/ping/outcome.ts';
import { type Charge, countsQuery, type Places, placesQuery, readCounts, TAG } from '../core/ping/queries.ts';
import { observedUptime, type SpanCounts, type TickSpan, ticksWithin } from '../core/ping/ticks.ts';
import type { Policy } from '../core/policy.ts';
import { type PromQuery, QueryError, type Sample } from '../prometheus/query.ts';
import type { ObserveUptime } from './evidence-port.ts';
import { type AskOne, gather } from './gathering.ts';

export interface Observer {
  /** With connections of its own: evidence must not hold up ticks. */
  readonly prom: PromQuery;
  /** The one in force. */
  readonly policy: () => Policy;
}

/** Pings that end within this time share their queries. */
const WAIT_MS = 20;
/** Of each of the two queries. Prometheus runs 20 at once, for everybody. */
const AT_ONCE = 2;
/** Agents in one query. */
const MOST_AGENTS = 50;
/** Ticks of GPUs in one query: a few hundred milliseconds of Prometheus' time. */
const MOST_GPU_TICKS = 100_000;

/**
 * Observes agents: the GPU that an agent named, or else all GPUs of its node. Which GPUs these are is asked first, and then
 * how they were at every tick of the span. Nothing that an agent calls itself can be anything but a label value.
 */
export function uptimeObserver(observer: Observer): ObserveUptime {
  const askPlaces = placesOf(observer);
  const askCounts = countsOf(observer);
  return async (span, agent, signal) => {
    const ticks = ticksWithin(observer.policy(), span);
    if (ticks === undefined) return NOTHING;
    const places = await askPlaces({ charge: chargeOf(agent), ticks }, signal);
    const counts = places && (await askCounts({ places, ticks }, signal));
    return counts && observedUptime(counts, ticks.ticks);
  };
}

const NOTHING: Sighting = { uptime: undefined, coverage: 0, watched: 0 };

function chargeOf({ gpu, node }: Agent): Charge {
  return gpu === undefined ? { node } : { gpu };
}

const TOGETHER = { atOnce: AT_ONCE, isRefusal };

/** What one of the questions may be to blame for; a Prometheus that cannot be reached fails them all. */
function isRefusal(error: unknown): boolean {
  return error instanceof QueryError && (error.kind === 'bad_data' || error.kind === 'server_error');
}

interface PlacesQuestion {
  readonly charge: Charge;
  readonly ticks: TickSpan;
}

/** Where the GPUs of each question were, as far back as they may be known from. */
function placesOf({ prom, policy: inForce }: Observer): AskOne<PlacesQuestion, Places> {
  const ask = async (questions: readonly PlacesQuestion[], signal: AbortSignal) => {
    const policy = inForce();
    const firstMs = Math.min(...questions.map(({ ticks }) => ticks.lastMs - ticks.ticks * ticks.stepMs));
    const range = { sinceMs: firstMs - policy.presence.rememberMs, untilMs: newestTick(questions) };
    const charges = questions.map(({ charge }) => charge);
    const query = placesQuery(policy, charges, range);
    const vector = query === undefined ? [] : await prom.instant(query, range.untilMs, signal);
    const places = vector.map(({ labels }) => placeOf(policy, labels));
    return charges.map((charge) => within(charge, places));
  };
  return gather({ ...TOGETHER, waitMs: WAIT_MS, mostWeight: MOST_AGENTS, weigh: () => 1, ask });
}

interface Place {
  readonly gpu: string;
  readonly node: string;
}

function placeOf({ identity }: Policy, labels: Readonly<Record<string, string>>): Place {
  return { gpu: labels[identity.gpu] ?? '', node: labels[identity.node] ?? '' };
}

/** A GPU without a name is none that could be asked about. */
function within(charge: Charge, places: readonly Place[]): Places {
  const isMine = ({ gpu, node }: Place) => ('gpu' in charge ? gpu === charge.gpu : node === charge.node);
  const mine = places.filter((place) => place.gpu !== '' && isMine(place));
  return { gpus: distinct(mine.map(({ gpu }) => gpu)), nodes: distinct(mine.map(({ node }) => node)) };
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

interface CountsQuestion {
  readonly places: Places;
  readonly ticks: TickSpan;
}

/** The ticks of each question's GPUs, and of its observer; a GPU that was never known within the span is left out. */
function countsOf({ prom, policy }: Observer): AskOne<CountsQuestion, SpanCounts> {
  const ask = async (questions: readonly CountsQuestion[], signal: AbortSignal) => {
    const parts = questions.map(({ places, ticks }, index) => countsQuery(policy(), places, ticks, String(index)));
    const vector = await prom.instant(parts.join(' or '), newestTick(questions), signal);
    const byTag = Map.groupBy(vector, ({ labels }) => labels[TAG]);
    return questions.map((_, index) => countsIn(policy(), byTag.get(String(index)) ?? []));
  };
  const weigh = ({ places, ticks }: CountsQuestion) => (1 + places.gpus.length) * ticks.ticks;
  // Those whose places were asked for together come together.
  return gather({ ...TOGETHER, waitMs: 0, mostWeight: MOST_GPU_TICKS, weigh, ask });
}

function countsIn({ identity }: Policy, samples: readonly Sample[]): SpanCounts {
  const isOfGpu = ({ labels }: Sample) => (labels[identity.gpu] ?? '') !== '';
  return {
    gpus: samples.filter(isOfGpu).map(({ value }) => readCounts(value)),
    watched: samples.find((sample) => !isOfGpu(sample))?.value ?? 0,
  };
}

function newestTick(questions: readonly { readonly ticks: TickSpan }[]): number {
  return Math.max(...questions.map(({ ticks }) => ticks.lastMs));
}
