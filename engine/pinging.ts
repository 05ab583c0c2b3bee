/** Agents and their pings: wired to the stores, to Prometheus and to the policy of the moment. */
import type { Logger } from 'pino';
import type { EngineConfig } from './config.ts';
import type { Configuration } from './configuration.ts';
import type { Policy } from './core/policy.ts';
import { type AddressGuard, addressGuard } from './ping/address-guard.ts';
import { readAgentUrl } from './ping/agent-url.ts';
import { pingAgent } from './ping/client.ts';
import { sparingObserver } from './ping/evidence-breaker.ts';
import { uptimeObserver } from './ping/observed-uptime.ts';
import { PingService } from './ping/ping-service.ts';
import { AgentRegistry } from './ping/registry.ts';
import { systemLookUp } from './ping/system-lookup.ts';
import { createPromClient } from './prometheus/client.ts';
import type { Clock } from './scheduler.ts';
import type { Stores } from './stores.ts';
import { messageOf } from './text/message-of.ts';

export interface PingingOptions {
  readonly config: Pick<EngineConfig, 'schedulesPings' | 'prometheusUrl' | 'prometheusTimeoutMs'>;
  readonly reach: PingReach;
  readonly stores: Stores;
  /** In force; replaced as a whole by a reload. */
  readonly policy: () => Policy;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How others are reached. */
type PingReach = Pick<Configuration, 'prometheusHttp' | 'agentAccess'>;

export interface Pinging {
  readonly service: PingService;
  /** Until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Counts from the next ping on. */
  use(reach: PingReach): void;
  close(deadlineMs: number): Promise<void>;
}

/** Apart from those of ticks: the span of a ping may be a day long, and its query may take a while. */
const QUERIES_AT_ONCE = 4;

/** Takes up all agents. Rejects when the store cannot be read. */
export async function openPinging(options: PingingOptions): Promise<Pinging> {
  const { config, stores, policy, log } = options;
  let { agentAccess } = options.reach;
  const { agents, pings } = stores;
  const clock = { ...options.clock, elapsed: () => performance.now() };
  const pingPolicy = () => policy().ping;
  const guard = guardOf(policy);
  const registry = await AgentRegistry.open({
    agents,
    pings,
    now: clock.now,
    judgeUrl: (text) => readAgentUrl(text, guard()),
    policy: pingPolicy,
    maxAgents: () => pingPolicy().maxAgents,
  });
  const prom = createPromClient({
    url: config.prometheusUrl,
    timeoutMs: config.prometheusTimeoutMs,
    concurrency: QUERIES_AT_ONCE,
    http: options.reach.prometheusHttp,
  });
  const service = await PingService.open({
    registry,
    pings,
    store: stores.own,
    ask: pingAgent,
    observe: sparingObserver(uptimeObserver({ prom, policy }), clock),
    lookUp: systemLookUp(),
    accessOf: (url) => agentAccess.accessFor(url),
    policy: pingPolicy,
    clock,
    log,
    isScheduling: config.schedulesPings,
  });
  const refresh = (signal: AbortSignal) => (stores.isShared ? keepFresh(registry, options, signal) : undefined);
  return {
    service,
    run: async (signal) => {
      await Promise.all([service.run(signal), refresh(signal)]);
    },
    use: (reach) => {
      prom.use(reach.prometheusHttp);
      agentAccess = reach.agentAccess;
    },
    close: (deadlineMs) => prom.close(deadlineMs),
  };
}

/** Networks are parsed once per policy. */
function guardOf(policy: () => Policy): () => AddressGuard {
  let made: { readonly policy: Policy; readonly guard: AddressGuard } | undefined;
  return () => {
    const now = policy();
    if (made?.policy !== now) made = { policy: now, guard: addressGuard(now.ping.targets) };
    return made.guard;
  };
}

/** What other engines do to shared agents is seen here at most so late. */
const REFRESH_MS = 15_000;

async function keepFresh(registry: AgentRegistry, { clock, log }: PingingOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(REFRESH_MS, signal);
    if (signal.aborted) return;
    await registry.refresh().catch((error: unknown) => {
      log.warn(`what other engines have done to agents is not known: ${messageOf(error)}`);
    });
  }
}
