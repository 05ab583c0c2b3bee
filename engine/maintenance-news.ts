/** What has changed about nodes in maintenance since the last look, as log lines. */
import type { Judged } from './core/fleet.ts';
import type { Planned } from './core/maintenance.ts';
import { type MaintenanceView, reportNodes } from './core/maintenance-report.ts';

/** Nodes under a declared span, and whether their ticks are left out. */
export type NodeStates = ReadonlyMap<string, Planned['kind']>;

interface NodeNews {
  readonly node: string;
  readonly text: string;
  readonly isProblem: boolean;
}

export interface MaintenanceNews {
  readonly states: NodeStates;
  readonly news: readonly NodeNews[];
}

export function maintenanceNews(
  before: NodeStates,
  judged: Judged,
  { calendar }: MaintenanceView,
  nowMs: number,
): MaintenanceNews {
  const nodes = calendar === undefined ? [] : reportNodes(judged, calendar, nowMs);
  const states = new Map(nodes.flatMap(({ node, planned }) => (planned === undefined ? [] : [[node, planned.kind]])));
  const names = [...new Set([...before.keys(), ...states.keys()])];
  return { states, news: names.flatMap((node) => newsOf(node, before.get(node), states.get(node))) };
}

function newsOf(node: string, before: Planned['kind'] | undefined, now: Planned['kind'] | undefined): NodeNews[] {
  if (before === now) return [];
  if (now === 'excluded') return [{ node, text: 'maintenance began: ticks count on neither side', isProblem: false }];
  if (now === undefined) return [{ node, text: 'maintenance is over: ticks count again', isProblem: false }];
  const text =
    'the maintenance budget of the month is spent: ticks count again, although a silence declares maintenance';
  return [{ node, text, isProblem: true }];
}
