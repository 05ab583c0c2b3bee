/**
 * Expands a parsed template. Evaluation is synchronous: a query without an answer suspends it, is asked, and the template runs
 * again from its start with the answer at hand, which gives the same text up to there.
 */

import type { Sample } from '../../prometheus/query.ts';
import { messageOf } from '../../text/message-of.ts';
import { Expansion } from './expansion.ts';
import { FunctionError, type Scope } from './function.ts';
import type { Tree } from './node.ts';
import type { TemplateData, TemplateWorld } from './template.ts';
import { type Pointer, SAMPLE_TYPE, type Struct, type Value } from './value.ts';
import { walkList, walkTree } from './walk.ts';

/** A parsed template and the text that its errors quote. */
export interface ExpansionSource {
  readonly text: string;
  readonly name: string;
  readonly trees: ReadonlyMap<string, Tree>;
}

/** More questions than any alert text needs; a loop that asks for every element must not flood Prometheus. */
const MAX_QUERIES = 100;

type Answer =
  | { readonly ok: true; readonly samples: readonly Sample[] }
  | { readonly ok: false; readonly reason: string };

/** Thrown out of an expansion that needs the answer to a query. */
class PendingQuery {
  readonly expr: string;

  constructor(expr: string) {
    this.expr = expr;
  }
}

interface Job {
  readonly source: ExpansionSource;
  readonly data: TemplateData;
  readonly world: TemplateWorld;
  readonly answers: Map<string, Answer>;
}

/** The text; a promise when the template asks a query. Failures become Prometheus' text for them. */
export function expandTrees(
  source: ExpansionSource,
  data: TemplateData,
  world: TemplateWorld,
): string | Promise<string> {
  const job: Job = { source, data, world, answers: new Map() };
  const outcome = attempt(job);
  return typeof outcome === 'string' ? outcome : finish(job, outcome);
}

async function finish(job: Job, pending: PendingQuery): Promise<string> {
  let outcome: string | PendingQuery = pending;
  while (typeof outcome !== 'string') {
    job.answers.set(outcome.expr, await ask(job.world, outcome.expr));
    outcome = attempt(job);
  }
  return outcome;
}

async function ask(world: TemplateWorld, expr: string): Promise<Answer> {
  try {
    return { ok: true, samples: await world.query(expr) };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}

function attempt(job: Job): string | PendingQuery {
  try {
    return execute(job).toWellFormed();
  } catch (error) {
    if (error instanceof PendingQuery) return error;
    const reason = messageOf(error);
    return `<error expanding template: error executing template ${job.source.name}: ${reason}>`.toWellFormed();
  }
}

function execute(job: Job): string {
  const { trees, name } = job.source;
  const root = trees.get(name)?.root;
  const data = dataOf(job.data);
  const run: Expansion = new Expansion({ ...job.source, scope: scopeOf(job, () => run) }, data);
  if (root !== undefined) walkList(run, data, root);
  return run.output;
}

function scopeOf(job: Job, run: () => Expansion): Scope {
  return {
    data: job.data,
    world: job.world,
    answer: (expr) => answerTo(job, expr),
    render: (name, data) => renderTree(run(), name, data),
  };
}

function answerTo({ answers }: Job, expr: string): Value {
  const answer = answers.get(expr);
  if (answer?.ok) return { kind: 'samples', items: answer.samples.map(sampleOf) };
  if (answer !== undefined) throw new FunctionError(answer.reason);
  if (answers.size >= MAX_QUERIES) throw new FunctionError(`a template may ask ${MAX_QUERIES} different queries`);
  throw new PendingQuery(expr);
}

/** What `name` writes for `data`, apart from the text at hand. */
function renderTree(run: Expansion, name: string, data: Value): string | undefined {
  const tree = run.trees.get(name);
  if (tree === undefined) return undefined;
  const { output } = run;
  run.output = '';
  walkTree(run, data, tree);
  const rendered = run.output;
  run.output = output;
  return rendered;
}

function dataOf({ labels, externalLabels, externalUrl, value }: TemplateData): Struct {
  return {
    kind: 'struct',
    type: DATA_TYPE,
    fields: {
      Labels: { kind: 'map', holds: 'string', entries: labels },
      ExternalLabels: { kind: 'map', holds: 'string', entries: externalLabels },
      ExternalURL: externalUrl,
      Value: { kind: 'interface', held: value },
    },
  };
}

const DATA_TYPE =
  'struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }';

function sampleOf({ labels, value }: Sample): Pointer {
  const fields = {
    Labels: { kind: 'map', holds: 'string', entries: labels },
    Value: { kind: 'interface', held: value },
  } as const;
  return { kind: 'pointer', type: SAMPLE_TYPE, to: { kind: 'struct', type: SAMPLE_TYPE, fields } };
}
