/** Rule groups for a bench: the shipped rules, once per node or over the whole fleet, and the series that they read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import type { WrittenSeries } from '../../engine/prometheus/series-writer.ts';
import { SECOND } from '../engine/core/fixtures.ts';
import { ROOT } from '../servers/server.ts';
import { GPUS, NODE_NAMES } from './fleet.ts';

export interface Scenario {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** Every so many nodes, one has hot GPUs; 1 is all of them. */
  readonly hotEvery: number;
  /** A cycle that takes longer is followed by the next at once. */
  readonly intervalMs: number;
  readonly warmUpCycles: number;
  readonly cycles: number;
}

/** As a rule file has it. */
export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** They yield nothing; their queries tell where a cycle begins and ends, whoever runs it. */
export const FIRST: Rule = { alert: 'CycleBegins', expr: 'vector(0) > 1' };
export const LAST: Rule = { alert: 'CycleEnds', expr: 'vector(0) > 2' };

const ALERTS = shippedRules('rules/alerts/gpu.yml').filter(({ alert }) => alert !== undefined);
const RECORDINGS = shippedRules('rules/recording.yml').filter(({ record }) =>
  ['gpu:temperature_celsius:max1m', 'node:power_watts:sum_avg1m'].includes(record ?? ''),
);

export const SCENARIOS: readonly Scenario[] = [
  {
    name: '100 rules',
    rules: bracketed(98, rulesPerNode()),
    hotEvery: 5,
    intervalMs: 2 * SECOND,
    warmUpCycles: 8,
    cycles: 10,
  },
  {
    name: '5,000 rules',
    rules: bracketed(4998, rulesPerNode()),
    hotEvery: 5,
    intervalMs: 5 * SECOND,
    warmUpCycles: 2,
    cycles: 3,
  },
  {
    name: '10,000 active alerts',
    rules: bracketed(
      1,
      ALERTS.filter(({ alert }) => alert === 'GpuThermalWarning'),
    ),
    hotEvery: 1,
    intervalMs: 3 * SECOND,
    warmUpCycles: 4,
    cycles: 5,
  },
];

function shippedRules(file: string): readonly Rule[] {
  const { groups } = load(readFileSync(join(ROOT, file), 'utf8')) as { groups: readonly { rules: readonly Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

function bracketed(count: number, rules: readonly Rule[]): readonly Rule[] {
  const chosen = rules.slice(0, count);
  if (chosen.length < count) throw new Error(`the shipped rules make only ${chosen.length} of ${count} rules`);
  return [FIRST, ...chosen, LAST];
}

function rulesPerNode(): readonly Rule[] {
  return NODE_NAMES.flatMap((node) => [...ALERTS, ...RECORDINGS].map((rule) => ofNode(rule, node)));
}

/** A label of its own keeps it apart from the same rule for another node. */
function ofNode(rule: Rule, node: string): Rule {
  const expr = rule.expr.replaceAll(/\bDCGM_FI_\w+/g, `$&{instance="${node}"}`);
  return { ...rule, expr, labels: { ...rule.labels, rules_of: node } };
}

export function ruleFile({ rules: written, intervalMs }: Scenario): string {
  const interval = `${intervalMs}ms`;
  // vmalert writes ALERTS_FOR_STATE of rules with a `for` only, and nobody waits five minutes for a bench.
  const rules = written.map((rule) => (rule.alert === undefined ? rule : { ...rule, for: interval }));
  return dump({ groups: [{ name: 'bench', interval, rules }] }, { noRefs: true, lineWidth: -1 });
}

/** A healthy value of everything that the shipped rules read. */
const USUAL = {
  DCGM_FI_DEV_GPU_TEMP: 64,
  DCGM_FI_DEV_POWER_USAGE: 311.482,
  DCGM_FI_DEV_ECC_SBE_VOL_TOTAL: 0,
  DCGM_FI_DEV_ECC_DBE_VOL_TOTAL: 0,
  DCGM_FI_DEV_CLOCKS_EVENT_REASONS: 0,
  DCGM_FI_DEV_FB_USED: 50_000,
  DCGM_FI_DEV_FB_FREE: 31_337,
};

/** All series of the fleet, with a sample at each instant. */
export function fleetSeries({ hotEvery }: Scenario, instants: readonly number[]): readonly WrittenSeries[] {
  const hot = new Set(NODE_NAMES.filter((_, index) => index % hotEvery === 0));
  return Object.entries(USUAL).flatMap(([metric, usual]) =>
    GPUS.map(({ gpu, node, labels }) => {
      const isHot = metric === 'DCGM_FI_DEV_GPU_TEMP' && hot.has(node);
      const [Hostname = ''] = node.split('.');
      return {
        labels: { __name__: metric, UUID: gpu, instance: node, Hostname, job: 'gpu', ...labels },
        samples: instants.map((atMs) => ({ atMs, value: isHot ? 91 : usual })),
      };
    }),
  );
}
