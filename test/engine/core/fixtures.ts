/** A small policy and observations written by hand: 10 s ticks, so that windows stay readable. */
import { createFleet, type FleetState, stepFleet } from '../../../engine/core/fleet.ts';
import type { Observation } from '../../../engine/core/observation.ts';
import { type Plan, planPolicy } from '../../../engine/core/plan.ts';
import type { Capability, Check, Policy, UptimeWindow } from '../../../engine/core/policy.ts';
import { checkQuery, targetKey } from '../../../engine/core/queries.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

export const TEMPERATURE: Check = {
  name: 'temperature',
  expr: 'DCGM_FI_DEV_GPU_TEMP',
  bound: { kind: 'max', value: 85 },
  unit: '°C',
  absent: 'ignore',
  onFail: 'down',
};

export const UTILIZATION: Check = {
  name: 'gpu_utilization',
  expr: 'DCGM_FI_DEV_GPU_UTIL',
  bound: { kind: 'max', value: 95 },
  unit: '%',
  absent: 'ignore',
  onFail: 'busy',
};

export const WINDOWS: readonly UptimeWindow[] = [
  { name: 'short', rangeMs: MINUTE, threshold: 0.99 },
  { name: 'medium', rangeMs: 2 * MINUTE, threshold: 0.99 },
  { name: 'long', rangeMs: 4 * MINUTE, threshold: 0.99 },
];

export function capability(name: string, change: Partial<Capability> = {}): Capability {
  return { name, checks: [TEMPERATURE, UTILIZATION], windows: WINDOWS, gpus: {}, ...change };
}

export function policy(change: Partial<Policy> = {}): Policy {
  return {
    revision: 'test00000000',
    intervalMs: 10 * SECOND,
    settleMs: 2 * SECOND,
    backfillMs: 8 * MINUTE,
    identity: { gpu: 'UUID', node: 'instance', labels: ['gpu', 'modelName'] },
    presence: {
      selector: 'DCGM_FI_DEV_GPU_TEMP',
      observer: 'up{job="prometheus"}',
      target: 'up',
      freshMs: 20 * SECOND,
      rememberMs: 24 * 60 * MINUTE,
    },
    checks: [TEMPERATURE, UTILIZATION],
    windows: WINDOWS,
    busyCountsAs: 'down',
    minCoverage: 0.5,
    judge: 'threshold',
    delay: {
      baseDurationMs: 30 * SECOND,
      firstMultiplier: 10,
      escalationFactor: 1.5,
      maxMultiplier: 100,
      recoveryHoldMs: 0,
    },
    guard: { maxShare: 0.5, windowMs: 5 * MINUTE, minNodes: 3 },
    actions: { throttle: true, preempt: true, quarantine: true, freshMs: 2 * MINUTE },
    stale: { maxStalenessMs: 5 * MINUTE, onStale: 'allow' },
    capabilities: [capability('default')],
    rules: {},
    alerts: { consecutiveFailures: 3, uptimeBelow: 0.95 },
    report: { intervalMs: MINUTE, detailed: false },
    ping: {
      revision: 'ping00000000',
      baseIntervalMs: 15 * MINUTE,
      uptimeThreshold: 0.99,
      escalationMultiplier: 2,
      maxIntervalMs: 24 * 60 * MINUTE,
      recoveryThresholdPings: 3,
      firstPingGracePeriod: true,
      responseTimeoutMs: 10 * SECOND,
      maxConcurrentAgents: 100,
      maxAgents: 10_000,
      historyMs: 7 * 24 * 60 * MINUTE,
      evidence: 'both',
      minCoverage: 0.5,
      observe: 'pay',
      confirmMs: [2 * SECOND, 4 * SECOND, 8 * SECOND],
      maxRetryAfterMs: 5 * MINUTE,
      graceIntervalMs: 24 * 60 * MINUTE,
      catchUpMs: 5 * MINUTE,
      suspect: { maxShare: 0.5, windowMs: 5 * MINUTE, minAgents: 3, stretch: 2 },
      targets: {
        allowSchemes: ['http', 'https'],
        allowPorts: [],
        allowNetworks: [],
        denyNetworks: [],
        allowLoopback: false,
        allowPrivate: false,
      },
    },
    agent: {
      mode: false,
      checkIntervalMs: 5 * SECOND,
      maxHistorySize: 10_000,
      checkpointInterval: 100,
    },
    ...change,
  };
}

/** What one GPU shows at a tick: its state, or `gone` when it has no sample. */
export type Shown = 'up' | 'hot' | 'busy' | 'gone' | 'stale' | 'target_down';

export interface TickShown {
  /** Whether the observer's heartbeat was there. */
  readonly isWatched: boolean;
  /** By GPU id; node is the part before the slash: `a/0` is a GPU of node a. */
  readonly gpus: Readonly<Record<string, Shown>>;
}

const VALUES: Record<Shown, { temperature: number; utilization: number }> = {
  up: { temperature: 60, utilization: 50 },
  hot: { temperature: 91, utilization: 50 },
  busy: { temperature: 60, utilization: 99 },
  gone: { temperature: 0, utilization: 0 },
  stale: { temperature: 60, utilization: 50 },
  target_down: { temperature: 60, utilization: 50 },
};

export function observe(plan: Plan, atMs: number, { isWatched, gpus }: TickShown): Observation {
  const shown = Object.entries(gpus).filter(([, show]) => show !== 'gone');
  const values = (get: (show: Shown) => number) => new Map(shown.map(([gpu, show]) => [gpu, get(show)]));
  return {
    atMs,
    observerAtMs: isWatched ? atMs - SECOND : undefined,
    targets: new Map(
      shown.filter(([, show]) => show === 'target_down').map(([gpu]) => [targetKey(nodeOf(gpu), 'gpu'), 0]),
    ),
    sightings: shown.map(([gpu, show]) => ({
      gpu,
      node: nodeOf(gpu),
      target: targetKey(nodeOf(gpu), 'gpu'),
      labels: { gpu: gpu.split('/')[1] ?? '', modelName: 'NVIDIA A100' },
      sampledAtMs: show === 'stale' ? atMs - MINUTE : atMs - SECOND,
    })),
    readings: new Map([
      [checkQuery(plan.policy, TEMPERATURE), values((show) => VALUES[show].temperature)],
      [checkQuery(plan.policy, UTILIZATION), values((show) => VALUES[show].utilization)],
    ]),
  };
}

function nodeOf(gpu: string): string {
  return gpu.split('/')[0] ?? '';
}

export const START_MS = 1_700_000_000_000;

export interface Played {
  readonly plan: Plan;
  readonly state: FleetState;
}

/** Steps a fleet through ticks, starting at `START_MS` or after the state's newest tick. */
export function play(plan: Plan, ticks: readonly TickShown[], state: FleetState = createFleet()): Played {
  for (const tick of ticks) {
    const atMs = state.tickMs === undefined ? START_MS : state.tickMs + plan.policy.intervalMs;
    stepFleet(plan, state, observe(plan, atMs, tick));
  }
  return { plan, state };
}

export function times(count: number, gpus: TickShown['gpus'], isWatched = true): readonly TickShown[] {
  return Array.from({ length: count }, () => ({ isWatched, gpus }));
}

export function planOf(change: Partial<Policy> = {}): Plan {
  return planPolicy(policy(change));
}
