/** Agents, states and claims as rows, the same in every adapter. A value may come as its text. */
import { z } from 'zod';
import type { Agent } from '../core/ping/agent.ts';
import { parseJson } from '../text/parse-json.ts';
import type { StoredAgent } from './agent-store.ts';
import { decodePingState } from './ping-state-json.ts';
import type { Claim } from './ping-store.ts';

export type Row = Readonly<Record<string, unknown>>;

const CAPABILITIES = z.array(z.string()).catch([]);
const METADATA = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).catch({});

/** Url, capabilities, metadata, node, gpu, registered_at_ms, updated_at_ms. */
export function encodeAgent({ url, capabilities, metadata, node, gpu, registeredAtMs, updatedAtMs }: Agent) {
  const lists = [JSON.stringify(capabilities), JSON.stringify(metadata)] as const;
  return [url, ...lists, node, gpu ?? null, registeredAtMs, updatedAtMs] as const;
}

/** Table `agent` with the column state. */
export function decodeStored(row: Row): StoredAgent {
  return { agent: decodeAgent(row), tokenHash: String(row.token_hash), state: decodePingState(String(row.state)) };
}

/** Table `agent` with the columns version, leased_until_ms and state. */
export function decodeClaim(row: Row): Claim {
  const [version, leasedUntilMs] = [Number(row.version), Number(row.leased_until_ms)];
  return { agent: decodeAgent(row), state: decodePingState(String(row.state)), version, leasedUntilMs };
}

function decodeAgent(row: Row): Agent {
  return {
    id: String(row.id),
    url: String(row.url),
    capabilities: CAPABILITIES.parse(parseJson(String(row.capabilities))),
    metadata: METADATA.parse(parseJson(String(row.metadata))),
    node: String(row.node),
    gpu: row.gpu === null ? undefined : String(row.gpu),
    registeredAtMs: Number(row.registered_at_ms),
    updatedAtMs: Number(row.updated_at_ms),
  };
}
