/** Firing actions ready to be looked up: by GPU and by node, each with whether it takes effect. */
import { type Action, type FiringAction, isBlocking, rankOf } from './action.ts';
import { heldNodes } from './action-guard.ts';
import type { Placement } from './placement.ts';
import type { Policy } from './policy.ts';

/** Why an action does not take effect: the policy says so, the guard holds it back, or its GPU or node is unknown. */
type Ignored = 'policy' | 'guard' | 'unknown';

export interface BookedAction extends FiringAction {
  /** Undefined while it takes effect. */
  readonly ignored: Ignored | undefined;
}

export interface ActionBook {
  /** Those in effect first, then the strictest, then the oldest. */
  readonly all: readonly BookedAction[];
  /** Alerts about one GPU. */
  readonly byGpu: ReadonlyMap<string, readonly BookedAction[]>;
  /** Alerts about a node as a whole. */
  readonly byNode: ReadonlyMap<string, readonly BookedAction[]>;
  /** Nodes with an alert about them or about one of their GPUs. */
  readonly touchedNodes: ReadonlySet<string>;
  /** Answers for whole subjects, worked out by the first question that needs them (`placementOf`). */
  readonly placements: Map<string, Placement>;
}

export const NO_ACTIONS: ActionBook = rebook([]);

/** Books actions, each at most once; `knownNodes` is what the guard's share is of. */
export function bookActions(
  { actions: enabled, guard }: Pick<Policy, 'actions' | 'guard'>,
  actions: readonly FiringAction[],
  knownNodes: number,
): ActionBook {
  if (actions.length === 0) return NO_ACTIONS;
  const isOff = ({ action }: FiringAction) => action !== 'notify' && !enabled[action];
  const onsets = onsetsOf(actions.filter((action) => action.isKnown && !isOff(action) && isBlocking(action.action)));
  const held = heldNodes(guard, onsets, knownNodes);
  const ignoredBy = (action: FiringAction): Ignored | undefined => {
    if (isOff(action)) return 'policy';
    if (!action.isKnown) return 'unknown';
    return isBlocking(action.action) && held.has(action.node ?? '') ? 'guard' : undefined;
  };
  return rebook(actions.map((action) => ({ ...action, ignored: ignoredBy(action) })).sort(byWeight));
}

/** The strictest action in effect on a GPU, from its own alerts and those about its node. */
export function actionOn(book: ActionBook, gpu: { readonly gpu: string; readonly node: string }): Action | undefined {
  return governing(book, gpu)?.action;
}

/** The alert whose action governs a GPU; undefined where none is in effect. */
export function governing(
  { byGpu, byNode, touchedNodes }: ActionBook,
  { gpu, node }: { readonly gpu: string; readonly node: string },
): BookedAction | undefined {
  if (!touchedNodes.has(node)) return undefined;
  // Those in effect come first, and the strictest of them first.
  const candidates = [byGpu.get(gpu)?.[0], byNode.get(node)?.[0]].filter((one) => one?.ignored === undefined);
  return candidates.reduce((a, b) => (a === undefined || (b !== undefined && byWeight(b, a) < 0) ? b : a), undefined);
}

function onsetsOf(actions: readonly FiringAction[]): ReadonlyMap<string, number> {
  const onsets = new Map<string, number>();
  for (const { node = '', sinceMs } of actions) onsets.set(node, Math.min(sinceMs, onsets.get(node) ?? Infinity));
  return onsets;
}

/** The book of actions that have been booked before: a checkpoint keeps them as they are. */
export function rebook(all: readonly BookedAction[]): ActionBook {
  const known = all.filter(({ isKnown }) => isKnown);
  return {
    all,
    byGpu: Map.groupBy(
      known.filter(({ gpu }) => gpu !== undefined),
      ({ gpu }) => gpu ?? '',
    ),
    byNode: Map.groupBy(
      known.filter(({ gpu }) => gpu === undefined),
      ({ node }) => node ?? '',
    ),
    touchedNodes: new Set(known.map(({ node }) => node ?? '')),
    placements: new Map(),
  };
}

/** In effect before ignored, strict before mild, old before new; names decide between equals. */
export function byWeight(a: BookedAction, b: BookedAction): number {
  return (
    Number(a.ignored !== undefined) - Number(b.ignored !== undefined) ||
    rankOf(b.action) - rankOf(a.action) ||
    a.sinceMs - b.sinceMs ||
    compare(a.alert, b.alert) ||
    compare(a.gpu ?? '', b.gpu ?? '') ||
    compare(a.node ?? '', b.node ?? '')
  );
}

/** By code unit: a locale must not change the order of an answer. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
