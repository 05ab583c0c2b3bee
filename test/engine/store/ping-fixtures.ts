/** Agents, states and pings as the tests of stores write them. */
import type { Agent } from '../../../engine/core/ping/agent.ts';
import type { PingRecord, PingState } from '../../../engine/core/ping/state.ts';
import type { AgentStore, Keeping, NewAgent } from '../../../engine/store/agent-store.ts';
import type { Claim, PingResult, PingStore } from '../../../engine/store/ping-store.ts';

export const START_MS = Date.UTC(2026, 0, 5, 12);
export const BASE_MS = 900_000;

export const KEEPING: Keeping = { untilMs: START_MS + 24 * 3_600_000, most: 100 };

export interface PingStores {
  readonly agents: AgentStore;
  readonly pings: PingStore;
}

export function anAgent(id: string, facts: Partial<Agent> = {}): Agent {
  return {
    id,
    url: `http://${id}:8001`,
    capabilities: ['gpu-compute', 'image-generation'],
    metadata: { gpu_model: 'RTX 4090', gpus: 2, spot: false },
    node: `${id}:8001`,
    gpu: undefined,
    registeredAtMs: START_MS,
    updatedAtMs: START_MS,
    ...facts,
  };
}

export function aState(nextDueAtMs: number, facts: Partial<PingState> = {}): PingState {
  return {
    sinceMs: START_MS,
    pings: 0,
    consecutivePoor: 0,
    goodInARow: 0,
    cursor: undefined,
    spanFromMs: undefined,
    attempts: 0,
    failingSinceMs: undefined,
    graceAtMs: undefined,
    lastAttemptAtMs: undefined,
    lastPingAtMs: undefined,
    lastOutcome: undefined,
    lastReason: undefined,
    lastEvidence: undefined,
    seenAtMs: undefined,
    isUnseen: false,
    isReachable: undefined,
    clockSkewMs: undefined,
    slotAtMs: nextDueAtMs,
    nextDueAtMs,
    payDueAtMs: nextDueAtMs,
    intervalMs: BASE_MS,
    undo: undefined,
    ...facts,
  };
}

export function newAgent(id: string, dueAtMs: number, tokenHash = `hash of ${id}`): NewAgent {
  return { agent: anAgent(id), tokenHash, state: aState(dueAtMs) };
}

/** A good ping of the claimed agent. */
export function goodPing({ agent, state, version }: Claim, atMs: number): PingResult & { record: PingRecord } {
  const pings = (state?.pings ?? 0) + 1;
  const plan = { nextDueAtMs: atMs + BASE_MS, payDueAtMs: atMs + BASE_MS, intervalMs: BASE_MS, consecutivePoor: 0 };
  const next = aState(atMs + BASE_MS, {
    pings,
    lastPingAtMs: atMs,
    lastOutcome: 'good',
    cursor: { bootId: 'b', seq: pings },
  });
  const claimed = { uptime: 0.998, coverage: 1 };
  const evidence = { claimed, observed: { uptime: undefined, coverage: 0.2 }, fromMs: atMs - BASE_MS, toMs: atMs };
  const measured = { roundTripMs: 12.5, clockSkewMs: -340 };
  const said = { outcome: 'good', reason: 'uptime 99.8 % ≥ 99 %', evidence, uptime: 0.998, ...measured } as const;
  return {
    agentId: agent.id,
    version,
    state: next,
    record: { agentId: agent.id, atMs, sequence: pings, ...said, ...plan },
  };
}
