/** Series about planned maintenance: what is left out of uptime, and what is left of the budget. */
import type { Judged } from '../core/fleet.ts';
import { type MaintenanceView, type ReportedNode, reportNodes } from '../core/maintenance-report.ts';
import { type Family, type Line, renderFamily } from './exposition.ts';

interface NodeFamily extends Family {
  readonly lines: (node: ReportedNode) => readonly Line[];
}

const FAMILIES: readonly NodeFamily[] = [
  {
    name: 'gpu_uptime_maintenance_active',
    type: 'gauge',
    help: '1 while ticks of the node are left out of uptime as planned maintenance.',
    lines: ({ node, planned }) => [[{ node }, planned?.kind === 'excluded' ? 1 : 0]],
  },
  {
    name: 'gpu_uptime_maintenance_over_budget',
    type: 'gauge',
    help: '1 while a silence declares maintenance of the node beyond its budget, so that its ticks count as usual.',
    lines: ({ node, planned }) => [[{ node }, planned?.kind === 'over_budget' ? 1 : 0]],
  },
  {
    name: 'gpu_uptime_maintenance_ticks',
    type: 'gauge',
    help: 'Ticks that each window leaves out, over the GPUs of a node.',
    lines: ({ node, windows }) => windows.map(({ window, excluded }) => [{ node, window: window.name }, excluded]),
  },
  {
    name: 'gpu_uptime_maintenance_budget_used_seconds',
    type: 'gauge',
    help: "Maintenance of the calendar month (UTC), of the node's GPU that has had the most.",
    lines: ({ node, spent }) => [[{ node }, spent.excludedMs / 1000]],
  },
];

/** Nothing where the policy grants no maintenance. */
export function renderMaintenance(judged: Judged, { calendar, peers }: MaintenanceView, nowMs: number): string {
  if (calendar === undefined) return '';
  const nodes = reportNodes(judged, calendar, nowMs);
  const failures = peers.map(({ url, failures: count }): Line => [{ alertmanager: url }, count]);
  return [
    ...FAMILIES.map((family) => renderFamily(family, nodes.flatMap(family.lines))),
    renderFamily(
      {
        name: 'gpu_uptime_maintenance_budget_seconds',
        type: 'gauge',
        help: 'Maintenance a node may have per calendar month (UTC).',
      },
      [[{}, calendar.budgetMs / 1000]],
    ),
    renderFamily(
      {
        name: 'gpu_uptime_silence_polls_failed_total',
        type: 'counter',
        help: 'Times an Alertmanager did not tell its silences.',
      },
      failures,
    ),
  ].join('');
}
