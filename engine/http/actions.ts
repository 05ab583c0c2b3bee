/** GET /api/v1/actions: what schedulers poll. Every GPU and node that a firing alert asks something of. */
import { Router } from 'express';
import { z } from 'zod';
import { type Action, isBlocking } from '../core/action.ts';
import { type ActionBook, actionOn, type BookedAction } from '../core/action-book.ts';
import { decide, type Question } from '../core/decision.ts';
import { rosterOf } from '../core/fleet.ts';
import { governingHold, type Hold, type Lineage } from '../core/hold.ts';
import { FLEET } from '../core/subject.ts';
import { actionEntry } from './answers.ts';
import { questionFor } from './question.ts';
import { parseQuery } from './request.ts';
import type { EngineView } from './view.ts';

const FILTERS = z.strictObject({
  action: z.enum(['throttle', 'preempt', 'quarantine']).optional(),
  node: z.string().min(1).max(500).optional(),
  gpu: z.string().min(1).max(500).optional(),
});

type Filters = z.output<typeof FILTERS>;

export function actionRoutes(view: EngineView): Router {
  const router = Router();
  router.get('/api/v1/actions', (req, res) => res.json(actionsAnswer(view, parseQuery(FILTERS, req))));
  return router;
}

/** A GPU, or a node as a whole (`gpu` undefined), with what its alerts ask. */
interface Row {
  readonly gpu: string | undefined;
  readonly node: string;
  readonly action: Action;
  readonly alerts: readonly BookedAction[];
}

function actionsAnswer(view: EngineView, filters: Filters): Record<string, unknown> {
  const { plan, state } = view.judged();
  const [capability] = plan.capabilities;
  const book = view.actions();
  const nowMs = view.now();
  const question: Question = { name: capability.name, capability, subject: FLEET, nowMs, holds: [], actions: book };
  const rows = rowsOf(view, book).filter(wantedBy(view, filters));
  return {
    evaluated_at: state.tickMs === undefined ? null : state.tickMs / 1000,
    stale: decide(plan, state, question).isStale,
    count: rows.length,
    actions: rows.map((row) => rowEntry(row, view.holds(), nowMs)),
    ignored: book.all.filter(({ ignored }) => ignored !== undefined).map(actionEntry),
  };
}

/** Nodes first, then every GPU that an alert about it or about its node reaches. */
function rowsOf(view: EngineView, book: ActionBook): readonly Row[] {
  const { byNode } = rosterOf(view.judged().state);
  const nodes = [...book.byNode].flatMap(([node, alerts]) =>
    rowOf({ gpu: undefined, node }, alerts[0]?.action, alerts),
  );
  const touched = [...book.touchedNodes].sort().flatMap((node) => byNode.get(node) ?? []);
  const gpus = touched.flatMap(({ gpu, node }) => {
    const alerts = [...(book.byGpu.get(gpu) ?? []), ...(book.byNode.get(node) ?? [])];
    return rowOf({ gpu, node }, actionOn(book, { gpu, node }), alerts);
  });
  return [...nodes, ...gpus];
}

/** Only alerts in effect make a row, and an alert that only notifies asks nothing of a scheduler. */
function rowOf(about: Pick<Row, 'gpu' | 'node'>, action: Action | undefined, all: readonly BookedAction[]): Row[] {
  const alerts = all.filter(({ ignored }) => ignored === undefined);
  return action === undefined || action === 'notify' || alerts.length === 0 ? [] : [{ ...about, action, alerts }];
}

/** Throws Problem 404 for a node or GPU that nobody has seen. A GPU's filter also shows its node's row. */
function wantedBy(view: EngineView, { action, node, gpu }: Filters): (row: Row) => boolean {
  const { subject } = questionFor(view, { node, gpu });
  const nodeOfGpu = subject.level === 'gpu' ? view.judged().state.gpus.get(subject.id)?.node : undefined;
  return (row) => {
    if (action !== undefined && row.action !== action) return false;
    if (subject.level === 'fleet') return true;
    if (subject.level === 'node') return row.node === subject.id;
    return row.gpu === undefined ? row.node === nodeOfGpu : row.gpu === subject.id;
  };
}

/** An operator's hold for every capability outranks the alerts; one for a single capability shows in its decisions. */
function rowEntry({ gpu, node, action, alerts }: Row, holds: readonly Hold[], nowMs: number): Record<string, unknown> {
  const lineage: Lineage = gpu === undefined ? { node } : { gpu, node };
  const hold = governingHold(holds, [], lineage, nowMs);
  return {
    gpu: gpu ?? null,
    node,
    action,
    place: hold === undefined ? !isBlocking(action) : hold.effect === 'allow',
    move_work_off: isBlocking(action) && hold?.effect !== 'allow',
    hold: hold?.id ?? null,
    alerts: alerts.map(actionEntry),
  };
}
