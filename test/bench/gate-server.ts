/** Child process: the engine's real HTTP server with the gate over 10,000 GPUs, of which 5,000 are throttled by alerts; judges a tick whenever it is asked to. */
import type { RequestListener } from 'node:http';
import { stepFleet } from '../../engine/core/fleet.ts';
import { listen } from '../../engine/http/server.ts';
import type { EngineView } from '../../engine/http/view.ts';
import { LiveActions } from '../../engine/live-actions.ts';
import type { ActiveAlert } from '../../engine/rules/status.ts';
import { benchPlan, filledFleet, GPUS, nextObservation } from './fleet.ts';
import { answerParent } from './process.ts';

const plan = benchPlan();
const state = filledFleet(plan);

/** Every other GPU: the gates that are measured have four of them behind each. */
const firing: readonly ActiveAlert[] = GPUS.filter((_, index) => index % 2 === 1).map(({ gpu, node, labels }) => ({
  name: 'GpuThermalCritical',
  ruleId: 'thermal',
  fingerprint: '0000000000000000',
  state: 'firing',
  labels: {
    alertname: 'GpuThermalCritical',
    action: 'throttle',
    severity: 'critical',
    UUID: gpu,
    instance: node,
    ...labels,
  },
  annotations: { summary: 'hot' },
  value: 91,
  activeAt: 0,
  firedAt: 0,
  missingSince: undefined,
  severity: 'critical',
}));

const live = new LiveActions({ judged: () => ({ plan, state }), activeAlerts: () => firing, sink: { send: () => {} } });

const view: EngineView = {
  now: () => (state.tickMs ?? 0) + 3000,
  judged: () => ({ plan, state }),
  holds: () => [],
  alerts: () => [],
  actions: () => live.book(),
  ruleGroups: () => [],
  maintenance: () => ({ calendar: undefined, refused: [], peers: [] }),
  prometheusUrl: 'http://127.0.0.1:9090',
  runbook: async () => undefined,
  isReady: () => true,
  lastFailure: () => undefined,
  backlogTicks: () => 0,
};

const app: RequestListener = (_req, res) => res.writeHead(404).end();
const gateStats = { answers: new Map<string, number>() };

const observed = nextObservation(plan, state);

/** Only the folding is timed and in the way of requests: the observation is there already. */
function judgeTick(): { tookMs: number } {
  const atMs = (state.tickMs ?? 0) + plan.policy.intervalMs;
  const sightings = observed.sightings.map((sighting) => ({ ...sighting, sampledAtMs: atMs }));
  const sinceMs = performance.now();
  stepFleet(plan, state, { ...observed, atMs, observerAtMs: atMs, sightings });
  return { tookMs: performance.now() - sinceMs };
}

const onFault = (error: unknown) => {
  throw error;
};
const { port } = await listen({ view, app, gateStats, onFault, address: '127.0.0.1', port: 0 });
answerParent({ port }, judgeTick);
