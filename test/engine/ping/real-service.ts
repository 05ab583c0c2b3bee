/** A ping service over a store file, with the clocks and the network of this machine. */
import { addressGuard } from '../../../engine/ping/address-guard.ts';
import { readAgentUrl } from '../../../engine/ping/agent-url.ts';
import { pingAgent } from '../../../engine/ping/client.ts';
import type { PingPorts } from '../../../engine/ping/ping-ports.ts';
import { PingService } from '../../../engine/ping/ping-service.ts';
import { AgentRegistry } from '../../../engine/ping/registry.ts';
import { systemLookUp } from '../../../engine/ping/system-lookup.ts';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import { pingPolicy } from '../core/ping/fixtures.ts';

const LINE = () => undefined;
const SILENT = { debug: LINE, info: LINE, warn: LINE, error: LINE };
const ALL_HERE = { ...pingPolicy().targets, allowLoopback: true };

/** An interval so short that a test sees many pings. */
export function quickPolicy(baseIntervalMs: number) {
  return pingPolicy({
    baseIntervalMs,
    maxIntervalMs: baseIntervalMs,
    confirmMs: [200],
    catchUpMs: 0,
    suspect: { ...pingPolicy().suspect, minAgents: 100 },
    evidence: 'agent',
    targets: ALL_HERE,
  });
}

export function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    if (signal.aborted) return wake();
    signal.addEventListener('abort', wake);
  });
}

export async function openRealService(file: string, change: Partial<PingPorts> & Pick<PingPorts, 'policy'>) {
  const { store, agents, pings } = openSqliteStore(file);
  const { policy } = change;
  const judgeUrl = (text: string) => readAgentUrl(text, addressGuard(policy().targets));
  const registry = await AgentRegistry.open({
    agents,
    pings,
    now: Date.now,
    judgeUrl,
    policy,
    maxAgents: () => 100_000,
  });
  const service = await PingService.open({
    registry,
    pings,
    store,
    ask: pingAgent,
    observe: async () => undefined,
    lookUp: systemLookUp(),
    accessOf: () => undefined,
    clock: { now: Date.now, elapsed: () => performance.now(), sleep: sleepFor },
    log: SILENT,
    isScheduling: true,
    ...change,
  });
  return { service, store, agents, pings };
}
