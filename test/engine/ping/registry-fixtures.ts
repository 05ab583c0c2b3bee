/** A registry over a real store, with the clock in hand. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { addressGuard } from '../../../engine/ping/address-guard.ts';
import { readAgentUrl } from '../../../engine/ping/agent-url.ts';
import { AgentRegistry } from '../../../engine/ping/registry.ts';
import { type OpenedStore, openSqliteStore } from '../../../engine/store/sqlite.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { policy } from '../core/fixtures.ts';
import { START_MS } from '../store/ping-fixtures.ts';

export const REGISTRATION = {
  agent_id: 'agent-001',
  agent_url: 'http://agent-host:8001',
  capabilities: ['gpu-compute', 'image-generation'],
  metadata: { gpu_model: 'RTX 4090' },
};

export const LEASE_MS = 30_000;

const { ping } = policy();
const guard = addressGuard(ping.targets);

export interface RegistryFixture extends OpenedStore {
  readonly file: string;
  readonly registry: AgentRegistry;
  readonly clock: { nowMs: number };
  /** As after a restart, or in another engine on the same data. */
  another(): Promise<AgentRegistry>;
}

export async function openRegistry(maxAgents = 100): Promise<RegistryFixture> {
  const file = join(temporaryDirectory(), 'engine.db');
  const opened = openSqliteStore(file);
  onTestFinished(() => opened.store.close());
  const clock = { nowMs: START_MS };
  const another = () =>
    AgentRegistry.open({
      ...opened,
      now: () => clock.nowMs,
      judgeUrl: (text) => readAgentUrl(text, guard),
      policy: () => ping,
      maxAgents: () => maxAgents,
    });
  return { ...opened, file, clock, another, registry: await another() };
}

/** Registers, and gives the token. An agent with another id has a path of its own, where nothing else is said. */
export async function registered(registry: AgentRegistry, change: object = {}): Promise<string> {
  const result = await registry.register(registration(change), undefined);
  if (result.kind !== 'registered') throw new Error(`it is ${result.kind}`);
  return result.token;
}

function registration(change: { readonly agent_id?: string }): object {
  const { agent_id: id } = change;
  const url = id === undefined ? {} : { agent_url: `${REGISTRATION.agent_url}/${id}` };
  return { ...REGISTRATION, ...url, ...change };
}
