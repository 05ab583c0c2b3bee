/** From request parameters to a question: which capability, about whom. */
import type { Question } from '../core/decision.ts';
import { type FleetState, type GpuRecord, rosterOf } from '../core/fleet.ts';
import { capabilityFor } from '../core/plan.ts';
import { FLEET, type Subject } from '../core/subject.ts';
import { Problem } from './problem.ts';
import type { EngineView } from './view.ts';

/** `capability`, `node` and `gpu` as a client gives them; `gpu` is a UUID, or an index where that is unambiguous. */
export interface Filters {
  readonly capability?: string | undefined;
  readonly node?: string | undefined;
  readonly gpu?: string | undefined;
}

/** Throws Problem 404 for a node or GPU that history does not know, once history has been read and is not stale. */
export function questionFor(view: EngineView, filters: Filters): Question {
  const { plan, state } = view.judged();
  const name = filters.capability ?? plan.capabilities[0].name;
  return {
    name,
    capability: capabilityFor(plan, name),
    subject: isInformed(view) ? subjectFor(state, filters) : subjectAsGiven(filters),
    nowMs: view.now(),
    holds: view.holds(),
    actions: view.actions(),
  };
}

/** Whether not knowing a node or GPU means anything: while history is being read, or is too old, it does not. */
function isInformed(view: EngineView): boolean {
  const { plan, state } = view.judged();
  return view.isReady() && state.tickMs !== undefined && view.now() - state.tickMs <= plan.policy.stale.maxStalenessMs;
}

function subjectAsGiven({ node, gpu }: Filters): Subject {
  if (gpu !== undefined) return { level: 'gpu', id: gpu };
  return node === undefined ? FLEET : { level: 'node', id: node };
}

function subjectFor(state: FleetState, { node, gpu }: Filters): Subject {
  if (gpu !== undefined) return { level: 'gpu', id: findGpu(state, gpu, node) };
  if (node === undefined) return FLEET;
  if (!isKnownNode(state, node))
    throw new Problem(404, `no GPU of node "${node}" has been seen; GET /gpu/monitoring/summary lists the nodes`);
  return { level: 'node', id: node };
}

function isKnownNode(state: FleetState, node: string): boolean {
  for (const totals of state.totals.values()) if (totals.nodes.has(node)) return true;
  return false;
}

function findGpu(state: FleetState, gpu: string, node: string | undefined): string {
  const known = state.gpus.get(gpu);
  if (known !== undefined && (node === undefined || known.node === node)) return gpu;
  const byIndex = gpusWithIndex(state, gpu, node);
  const [only] = byIndex;
  if (only !== undefined && byIndex.length === 1) return only.gpu;
  if (only === undefined)
    throw new Problem(404, `GPU "${gpu}" has not been seen${node === undefined ? '' : ` on node "${node}"`}`);
  throw new Problem(404, `${byIndex.length} GPUs have index ${gpu}; add node=… or give the UUID`);
}

function gpusWithIndex(state: FleetState, index: string, node: string | undefined): readonly GpuRecord[] {
  const roster = rosterOf(state);
  if (node === undefined) return roster.byIndex.get(index) ?? [];
  return (roster.byNode.get(node) ?? []).filter(({ labels }) => labels.gpu === index);
}
