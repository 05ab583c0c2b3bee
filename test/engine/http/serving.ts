/** The engine's HTTP side over a fleet played by hand, on a real port. */
import { type Logger, pino } from 'pino';
import type { FiringAlert } from '../../../engine/core/action.ts';
import { withLiveAlerts } from '../../../engine/core/action-state.ts';
import type { Hold } from '../../../engine/core/hold.ts';
import { createApp } from '../../../engine/http/app.ts';
import type { PrometheusQueries } from '../../../engine/http/prometheus-queries.ts';
import { closeServer, listen } from '../../../engine/http/server.ts';
import type { EngineControl, EngineView, ShownAlert } from '../../../engine/http/view.ts';
import { renderDerived } from '../../../engine/metrics/derived.ts';
import type { Pings } from '../../../engine/ping/pings.ts';
import type { GroupStatus } from '../../../engine/rules/status.ts';
import type { Played } from '../core/fixtures.ts';
import { noAgents } from './fake-pings.ts';

export interface ServingOptions {
  readonly fleet: Played;
  /** Milliseconds after the newest tick at which requests are answered. */
  readonly sinceTickMs?: number;
  readonly alerts?: readonly ShownAlert[];
  /** Alerts with an action that have fired since the newest tick. */
  readonly firing?: readonly FiringAlert[];
  readonly ruleGroups?: readonly GroupStatus[];
  /** Markdown by name of the alert. */
  readonly runbooks?: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly address?: string;
  readonly reload?: EngineControl['reload'];
  /** Prometheus is away unless told. */
  readonly queries?: PrometheusQueries;
  readonly isReady?: boolean;
  /** Without them nobody is registered. */
  readonly pings?: Pings;
  readonly registrationToken?: string;
  readonly now?: () => number;
  readonly log?: Logger;
}

export interface Serving {
  readonly url: string;
  close(): Promise<void>;
}

const AWAY = { ok: false, status: 502, reason: 'http://prometheus is unreachable' } as const;

export async function serve(options: ServingOptions): Promise<Serving> {
  const { plan, state } = options.fleet;
  const { firing = [] } = options;
  let holds: readonly Hold[] = [];
  const nowMs = (state.tickMs ?? 0) + (options.sinceTickMs ?? 3000);
  const now = options.now ?? (() => nowMs);
  const view: EngineView = {
    now,
    judged: () => ({ plan, state }),
    holds: () => holds,
    alerts: () => options.alerts ?? [],
    actions: () => (firing.length === 0 ? state.actions : withLiveAlerts({ plan, state }, firing)),
    ruleGroups: () => options.ruleGroups ?? [],
    prometheusUrl: 'http://prometheus.example:9090',
    runbook: async (alert) => options.runbooks?.[alert],
    maintenance: () => ({ calendar: undefined, refused: [], peers: [] }),
    isReady: () => options.isReady ?? true,
    lastFailure: () => (options.isReady === false ? 'http://prometheus is unreachable' : undefined),
    backlogTicks: () => 0,
  };
  const control: EngineControl = {
    addHold: async (hold) => {
      holds = [...holds, hold];
    },
    removeHold: async (id) => {
      const before = holds.length;
      holds = holds.filter((hold) => hold.id !== id);
      return holds.length < before;
    },
    reload: options.reload ?? (async () => ({ ok: true, revision: plan.policy.revision })),
  };
  const { token, registrationToken, address = '127.0.0.1' } = options;
  const credentials = { token, registrationToken, address };
  const app = createApp({
    view,
    control,
    credentials,
    queries: options.queries ?? { passage: { pass: async () => AWAY }, isProtected: false },
    pings: options.pings ?? (await noAgents(now)),
    metrics: async function* () {
      yield* renderDerived({ plan, state }, holds, nowMs);
    },
    log: options.log ?? pino({ level: 'silent' }),
    version: 'test',
  });
  const { server, port } = await listen({
    view,
    app,
    gateStats: { answers: new Map() },
    onFault: (error) => {
      throw error;
    },
    address: '127.0.0.1',
    port: 0,
  });
  return { url: `http://127.0.0.1:${port}`, close: () => closeServer(server, 0) };
}
