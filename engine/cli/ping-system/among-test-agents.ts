/** The life of the test agents of a command: from before the first is registered until the last is removed. */
import type { CommandIo } from '../command.ts';
import type { EngineClient } from '../engine-client.ts';
import { type RegisteredTestAgent, registerTestAgents, removeTestAgents } from './registered-test-agents.ts';
import { startTestAgents, type TestAgents } from './test-agents.ts';
import { isThisMachine } from './this-machine.ts';

interface Surroundings {
  readonly io: CommandIo;
  readonly client: EngineClient;
  readonly interruption: AbortSignal;
}

/** Does something while there are test agents, and removes them whatever ends it. */
export async function amongTestAgents(
  count: number,
  { client, interruption, io }: Surroundings,
  action: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const { hostname } = new URL(client.base);
  if (!(await isThisMachine(hostname))) return elsewhereText(client.base);
  const agents = await startTestAgents({ wallMs: Date.now, steadyMs: () => performance.now() });
  const registered: RegisteredTestAgent[] = [];
  try {
    const problem = await registerTestAgents({ client, agents, signal: interruption }, count, registered);
    if (interruption.aborted) return undefined;
    if (problem !== undefined) return problem;
    io.out(['Test agents are registered:', ...registered.map(({ id, what }) => `  ${id} ${what}`), ''].join('\n'));
    return await action();
  } finally {
    await end(agents, registered, { client, io });
  }
}

function elsewhereText(base: string): string {
  return `Test agents listen on 127.0.0.1 of this machine, which the engine at ${base} cannot reach: run the command on the engine's machine, or leave out --register-agents.`;
}

async function end(
  agents: TestAgents,
  registered: readonly RegisteredTestAgent[],
  { client, io }: Pick<Surroundings, 'client' | 'io'>,
): Promise<void> {
  const { left, why } = await removeTestAgents(client, registered);
  await agents.close();
  const removed = registered.length - left.length;
  if (removed > 0) io.out(`${removed} test ${removed === 1 ? 'agent was' : 'agents were'} removed.`);
  if (left.length === 0) return;
  const commands = left.map(
    ({ id, token }) => `  AGENT_TOKEN=${token} gpu-uptime agents remove ${id} --server-url ${client.base}`,
  );
  const reason = why ?? 'The engine did not answer in time.';
  io.err([`${reason} Test agents that are still registered can be removed later:`, ...commands].join('\n'));
}
