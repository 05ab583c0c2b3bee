/** The PromQL that tells what Prometheus saw of GPUs over a span of ticks. Whatever agents say of themselves is quoted. */
import type { Policy } from '../policy.ts';
import { JOB } from '../queries.ts';
import type { TickSpan } from './ticks.ts';

/** Which GPUs an agent speaks for: one by its name, or all of a node. */
export type Charge = { readonly gpu: string } | { readonly node: string };

/** GPUs, and the nodes that exposed them. */
export interface Places {
  readonly gpus: readonly string[];
  readonly nodes: readonly string[];
}

/**
 * The GPUs in the charge of any of the agents that had a sample since `sinceMs`, each with every node that exposed it. To
 * be asked at `untilMs`. Undefined when no charge names anything.
 */
export function placesQuery(
  { identity, presence }: Policy,
  charges: readonly Charge[],
  { sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number },
): string | undefined {
  const gpus = charges.flatMap((charge) => ('gpu' in charge && charge.gpu !== '' ? [charge.gpu] : []));
  const nodes = charges.flatMap((charge) => ('node' in charge && charge.node !== '' ? [charge.node] : []));
  const had = (label: string, values: readonly string[]) =>
    values.length === 0
      ? []
      : [`last_over_time(${narrowed(presence.selector, label, values)}[${untilMs - sinceMs}ms])`];
  const parts = [...had(identity.gpu, gpus), ...had(identity.node, nodes)];
  return parts.length === 0 ? undefined : `group by (${identity.gpu}, ${identity.node}) (${parts.join(' or ')})`;
}

/** What `countsQuery` adds for a tick that was down; a tick that was up adds 1. */
const DOWN = 2 ** 20;

/** Ticks of one GPU in `countsQuery`'s answer. */
export function readCounts(value: number): { readonly up: number; readonly down: number } {
  return { up: value % DOWN, down: Math.floor(value / DOWN) };
}

/**
 * How many of the ticks each of the GPUs was up and down, as one number per GPU (`readCounts`), labelled with `tag`; and
 * without the name of a GPU, at how many of them anybody watched, which costs Prometheus next to nothing more. The
 * same judgement as the engine's own folds (`presence.ts`), but for health checks, which an agent makes no claim about:
 * nothing is said of ticks that nobody watched, nor of those at which the GPU was not known (yet, or any more).
 */
export function countsQuery(policy: Policy, places: Places, { lastMs, ticks, stepMs }: TickSpan, tag: string): string {
  const seen = places.gpus.length === 0 ? [] : [presentGpus(policy, places), absentGpus(policy, places)];
  const tick = `(${[...seen, 'vector(1)'].join(' or ')}) and on () ${watched(policy)}`;
  const range = `[${halfAStepShort(ticks * stepMs, stepMs)}ms:${stepMs}ms]`;
  return `label_replace(sum_over_time((${tick})${range} @ ${lastMs / 1000}), "${TAG}", ${quoted(tag)}, "", "")`;
}

/** Label of `countsQuery`'s answers; no GPU is identified by it. */
export const TAG = '__asked__';

/** The observer has a fresh heartbeat. */
function watched({ presence }: Policy): string {
  return `group(${fresh(presence, presence.observer)})`;
}

/**
 * The series whose newest sample is fresh. `timestamp()` would say so too, but for it Prometheus 2.42 reads a series from its
 * beginning at every step of a subquery. Ranges exclude their left end since Prometheus 3, hence the one millisecond; before
 * that a sample which is late by exactly one counts as fresh.
 */
function fresh({ freshMs }: Policy['presence'], selector: string): string {
  return `${selector} and last_over_time(${selector}[${freshMs + 1}ms])`;
}

/** It has had one for so long that absence counts (`absenceCounts`): at every tick of a whole freshness span. */
function steady(policy: Policy): string {
  const { intervalMs, presence } = policy;
  const ticks = Math.ceil(presence.freshMs / intervalMs) + 1;
  const rangeMs = halfAStepShort(ticks * intervalMs, intervalMs);
  return `(count_over_time(${watched(policy)}[${rangeMs}ms:${intervalMs}ms]) == ${ticks})`;
}

/** A range that ends at a tick holds exactly the ticks of the span then, whether or not ranges include their left end. */
function halfAStepShort(spanMs: number, stepMs: number): number {
  return spanMs - Math.floor(stepMs / 2);
}

/** GPUs with a fresh sample from a target that is not down. */
function presentGpus({ identity, presence }: Policy, { gpus, nodes }: Places): string {
  const { gpu, node } = identity;
  const shown = `group by (${gpu}, ${node}, ${JOB}) (${fresh(presence, narrowed(presence.selector, gpu, gpus))})`;
  const failed = `min by (${node}, ${JOB}) (${narrowed(presence.target, node, nodes)}) == 0`;
  return `group by (${gpu}) (${shown} unless on (${node}, ${JOB}) (${failed}))`;
}

function absentGpus(policy: Policy, places: Places): string {
  return `${DOWN} * (${knownGpus(policy, places)} and on () ${steady(policy)})`;
}

/** Parts that `presence.remember` is divided into. */
const MEMORY_STEPS = 288;

/**
 * GPUs with a sample within `presence.remember`. A subquery that looks back from coarse steps costs Prometheus far less
 * than the whole range would at every tick, and forgets at most one step later; the newest step is seen from the tick itself.
 */
function knownGpus({ identity, presence, intervalMs }: Policy, { gpus }: Places): string {
  const { rememberMs } = presence;
  const stepMs = Math.ceil(rememberMs / MEMORY_STEPS / intervalMs) * intervalMs;
  const recent = `last_over_time(${narrowed(presence.selector, identity.gpu, gpus)}[${stepMs}ms])`;
  const earlier = `last_over_time(${recent}[${halfAStepShort(rememberMs, intervalMs)}ms:${stepMs}ms])`;
  return `group by (${identity.gpu}) (${earlier} or ${recent})`;
}

/** A plain selector with one more matcher: the label has one of the values. */
export function narrowed(selector: string, label: string, values: readonly string[]): string {
  const matcher = `${label}=~${quoted([...new Set(values)].map(literally).join('|'))}`;
  // First, because what is there may end in a comma or in a comment.
  const [, name, others] = /^([^{]*)(?:\{(.*)\})?$/s.exec(selector.trim()) ?? [];
  return others === undefined ? `${name}{${matcher}}` : `${name}{${matcher},${others}}`;
}

/** RE2 that matches exactly the text. */
function literally(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

/** As a PromQL string. JSON's escapes are among those of Go, but for halves of letters, and Prometheus takes their sign amiss. */
function quoted(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll('\ufffd', '\\ufffd');
}
