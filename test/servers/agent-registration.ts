/** Registers agents with a running engine, as the guide does. */
import type { FleetAgent } from './agent-fleet.ts';
import type { RunningServer } from './server.ts';

export interface Registration extends FleetAgent {
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The answer is for the caller to read. */
export function register({ url: engineUrl }: Pick<RunningServer, 'url'>, { id, url, metadata = {} }: Registration) {
  const body = { agent_id: id, agent_url: url, capabilities: ['gpu-compute'], metadata };
  return fetch(`${engineUrl}/ping-system/agents/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export async function registerAll(engine: Pick<RunningServer, 'url'>, agents: readonly Registration[]): Promise<void> {
  const left = [...agents];
  const work = async (): Promise<void> => {
    for (let agent = left.pop(); agent !== undefined; agent = left.pop()) {
      const response = await register(engine, agent);
      if (response.status !== 201) throw new Error(`${agent.id}: ${response.status} ${await response.text()}`);
      await response.body?.cancel();
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}
