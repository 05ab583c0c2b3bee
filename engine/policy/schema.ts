/** The shape of a policy file: one row per key, with its meaning and default. Editors get it as a JSON Schema. */
import { z } from 'zod';
import {
  capabilityName,
  count,
  duration,
  entryName,
  finite,
  flag,
  labelName,
  labelPattern,
  oneOf,
  percent,
  plainSelector,
  text,
  vectorExpr,
} from './fields.ts';
import { maintenance } from './schema-maintenance.ts';
import { agent, alerts, report, rules } from './schema-operations.ts';
import { ping } from './schema-ping.ts';

const SHORTEST_INTERVAL_MS = 100;

/** Removes an entry of a lower layer: `free_memory: off`. An empty value says the same. */
const off = z.literal(['off', null]);

const check = z
  .strictObject({
    expr: vectorExpr('PromQL that yields one value per GPU. It must keep the GPU identity label.').optional(),
    min: finite('Lowest healthy value.').optional(),
    max: finite('Highest healthy value.').optional(),
    equals: finite('The only healthy value.').optional(),
    unit: z.string().meta({ title: 'text', description: 'Unit shown after the value in reasons.' }).optional(),
    absent: oneOf(
      ['ignore', 'down'],
      'What a missing value means. ignore: the check holds; down: it fails.',
    ).optional(),
    on_fail: oneOf(['down', 'busy', 'warn'], 'What a failed check makes of the tick. warn only reports.').optional(),
  })
  .meta({ title: 'check', description: 'A health check: exactly one of min, max and equals.' });

const window = z
  .strictObject({
    range: duration('Length of the window, a multiple of the interval.', 1).optional(),
    threshold: percent('Uptime the window must reach, in percent.', true).optional(),
  })
  .meta({ title: 'window', description: 'An uptime window.' });

export const checks = z
  .record(entryName('check'), z.union([check, off]))
  .meta({ description: 'Health checks by name, merged field by field onto the built-in ones; `off` removes one.' });

export const windows = z
  .record(entryName('window'), z.union([window, off]))
  .meta({ description: 'Uptime windows by name, merged field by field onto the built-in ones; `off` removes one.' });

const capability = z
  .strictObject({
    checks: checks.optional(),
    windows: windows.optional(),
    gpus: z
      .record(labelName('Label of the GPU.'), labelPattern('RE2 pattern the whole label value must match.'))
      .meta({ description: 'Which GPUs can serve the capability: label to RE2 pattern. Default: all.' })
      .optional(),
  })
  .meta({ title: 'capability', description: 'What this capability needs beyond the policy above.' });

const identity = z
  .strictObject({
    gpu: labelName('Label that identifies a GPU.').default('UUID'),
    node: labelName('Label that places a GPU on a node.').default('instance'),
    labels: z
      .array(labelName('Label that describes a GPU.'))
      .meta({ title: 'list of labels', description: 'Labels that describe a GPU; capabilities may select by them.' })
      .default(['gpu', 'modelName']),
  })
  .meta({ description: 'Labels that identify a GPU. Other labels may change without making a new GPU.' });

const presence = z
  .strictObject({
    selector: plainSelector('Has a series for every GPU that is present.').default('DCGM_FI_DEV_GPU_TEMP'),
    observer: plainSelector("Prometheus' own heartbeat: without it nobody was watching.").default(
      'up{job="prometheus"}',
    ),
    target: plainSelector('Scrape health of the GPU targets, 0 or 1.').default('up'),
    fresh: duration('A sample older than this is missing. Default: 2 x interval.', 1).optional(),
    remember: duration('How long a vanished GPU is expected back, and therefore down.', 1).default('24h'),
  })
  .meta({ description: 'How the engine knows which GPUs exist and whether anybody was watching.' });

const delay = z
  .strictObject({
    base_duration: duration('The normal payment interval, which multipliers apply to.', 1).default('30s'),
    first_multiplier: finite('Multiplier of the first failure.', 1).default(10),
    escalation_factor: finite('Each further failure multiplies the delay by this.', 1).default(1.5),
    max_multiplier: finite('No delay exceeds this multiplier.', 1).default(100),
    recovery_hold: duration('How long every window must meet its threshold before delays end.').default('0s'),
  })
  .meta({ description: 'Escalating delays: base x min(first x escalation^(n-1), max) for failure n.' });

const guard = z
  .strictObject({
    max_share: percent('Freeze new escalations when more than this share of nodes turns low together.', true).default(
      50,
    ),
    window: duration('The span that counts as together.', 1).default('5m'),
    min_nodes: count('Fleets smaller than this are never frozen.').default(3),
  })
  .meta({ description: 'When most nodes fail at once, the observer is the likelier culprit.' });

const actions = z
  .strictObject({
    throttle: flag('Whether a firing alert with action: throttle takes effect.').default(true),
    preempt: flag('Whether action: preempt takes effect: no new work, and running work moves off.').default(true),
    quarantine: flag('Whether action: quarantine takes effect: the GPU leaves placement and counts as down.').default(
      true,
    ),
    fresh: duration('An ALERTS sample older than this no longer counts.', 1000).default('2m'),
  })
  .meta({ description: 'What firing alerts with the label action do to decisions. false only shows them.' });

const stale = z
  .strictObject({
    max_staleness: duration('How old the last judged tick may be before on_stale applies.').default('5m'),
    on_stale: oneOf(['allow', 'last', 'deny'], 'What gateways hear then.').default('allow'),
  })
  .meta({ description: 'Decisions while Prometheus cannot be reached.' });

const BUILT_IN_CHECKS = {
  vram: {
    expr: '(DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE) * 1048576 / 1e9',
    min: 30,
    unit: 'GB',
    absent: 'ignore',
    on_fail: 'down',
  },
  gpu_utilization: { expr: 'DCGM_FI_DEV_GPU_UTIL', max: 95, unit: '%', absent: 'ignore', on_fail: 'busy' },
  memory_utilization: {
    expr: '100 * DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE)',
    max: 95,
    unit: '%',
    absent: 'ignore',
    on_fail: 'busy',
  },
  temperature: { expr: 'DCGM_FI_DEV_GPU_TEMP', max: 85, unit: '°C', absent: 'ignore', on_fail: 'down' },
  free_memory: { expr: 'DCGM_FI_DEV_FB_FREE', min: 1024, unit: 'MiB', absent: 'ignore', on_fail: 'busy' },
} satisfies z.input<typeof checks>;

const BUILT_IN_WINDOWS = {
  short: { range: '5m', threshold: 99 },
  medium: { range: '30m', threshold: 99 },
  long: { range: '2h', threshold: 99 },
} satisfies z.input<typeof windows>;

/** A whole policy file. Every key is optional; parsing `{}` yields the built-in policy. */
export const policyFile = z
  .strictObject({
    interval: duration('The tick grid: how often every GPU is judged.', SHORTEST_INTERVAL_MS).default('5s'),
    settle: duration('How long after its instant a tick is judged, so that late scrapes are in.').default('2s'),
    backfill: duration('History a cold start replays. Default: twice the longest window.', 1).optional(),
    identity: identity.prefault({}),
    presence: presence.prefault({}),
    checks: checks.default(BUILT_IN_CHECKS),
    windows: windows.default(BUILT_IN_WINDOWS),
    min_coverage: percent('Share of a window that must have been observed before it can penalise.').default(50),
    busy_counts_as: oneOf(
      ['up', 'down'],
      'Whether a tick in which only busy checks fail counts as up or down.',
    ).default('down'),
    judge: oneOf(
      ['threshold', 'wilson'],
      'wilson penalises only when the upper confidence bound is below the threshold.',
    ).default('threshold'),
    delay: delay.prefault({}),
    guard: guard.prefault({}),
    actions: actions.prefault({}),
    stale: stale.prefault({}),
    maintenance: maintenance.prefault({}),
    capabilities: z
      .record(capabilityName(), capability)
      .meta({ description: 'What gateways may ask about, by name, each with what it needs beyond the policy above.' })
      .default({}),
    rules: rules.default({}),
    alerts: alerts.prefault({}),
    report: report.prefault({}),
    ping: ping.prefault({}),
    agent: agent.prefault({}),
    persistence_file: text("Path of the engine's own store. Default: data/engine.db.").optional(),
  })
  .meta({ title: 'gpu-uptime policy', description: 'When a GPU counts as healthy, and what poor uptime costs.' });

export type PolicyFile = z.output<typeof policyFile>;
export type CheckFile = z.output<typeof check>;
export type WindowFile = z.output<typeof window>;
export type CapabilityFile = z.output<typeof capability>;
