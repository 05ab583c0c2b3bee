/** Test agents in the registry of an engine: entered at the start, taken out at the end. */
import { z } from 'zod';
import { PingedAnswer, RegisteredAnswer } from '../engine-answers.ts';
import type { EngineClient } from '../engine-client.ts';
import type { EngineFailure } from '../engine-failure.ts';
import { TEST_GPU_MODEL } from './test-agent-answers.ts';
import { behaviourOf } from './test-agent-behaviour.ts';
import type { TestAgents } from './test-agents.ts';

export interface RegisteredTestAgent {
  readonly id: string;
  readonly what: string;
  /** Its Agent-Token. */
  readonly token: string;
}

export interface TestAgentOffice {
  readonly client: EngineClient;
  readonly agents: TestAgents;
  readonly signal: AbortSignal;
}

const REMOVE_MS = 5_000;
const REMOVED_AT_ONCE = 20;
const MOST_NUMBERS = 10_000;

/** Adds to `registered` one by one, so that whatever ends it, all that are there are known. A sentence when it fails. */
export async function registerTestAgents(
  office: TestAgentOffice,
  count: number,
  registered: RegisteredTestAgent[],
): Promise<string | undefined> {
  let number = 0;
  for (let nth = 1; nth <= count && !office.signal.aborted; nth += 1) {
    const free = await freeNumber(office, number + 1);
    if (typeof free === 'string') return free;
    number = free;
    const failure = await registerOne(office, { nth, id: idOf(number) }, registered);
    if (failure !== undefined) return failure;
  }
  const [first] = registered;
  return first === undefined ? undefined : reachProblem(office, first.id);
}

function idOf(number: number): string {
  return `test-agent-${String(number).padStart(3, '0')}`;
}

/** Somebody else's test agents, or those of a run that was killed, keep their ids. */
async function freeNumber({ client, signal }: TestAgentOffice, from: number): Promise<number | string> {
  for (let number = from; number < MOST_NUMBERS; number += 1) {
    const answer = await client.ask({ path: `/ping-system/agents/${idOf(number)}`, schema: z.unknown(), signal });
    if (answer.kind === 'failure') return answer.status === 404 ? number : answer.text;
  }
  return `All test agents up to ${idOf(MOST_NUMBERS)} are registered already; remove some with gpu-uptime agents remove.`;
}

interface Wanted {
  readonly id: string;
  readonly nth: number;
}

async function registerOne(
  { client, agents }: TestAgentOffice,
  { id, nth }: Wanted,
  registered: RegisteredTestAgent[],
): Promise<string | undefined> {
  const behaviour = behaviourOf(nth);
  const body = {
    agent_id: id,
    agent_url: agents.add(id, behaviour),
    // Whoever looks for agents to work with must not find these.
    capabilities: ['test'],
    metadata: { gpu_model: TEST_GPU_MODEL, test: true },
  };
  const token = client.registrationToken;
  const path = '/ping-system/agents/register';
  // Not given up when the command is interrupted: the token in the answer is needed to remove the agent.
  const answer = await client.ask({ method: 'POST', path, body, token, schema: RegisteredAnswer });
  if (answer.kind === 'failure') return refusalText(answer);
  const { agent_token: agentToken } = answer.value;
  if (agentToken === undefined) return `Somebody else registered ${id} at the same moment; try again.`;
  registered.push({ id, what: behaviour.what, token: agentToken });
  return undefined;
}

function refusalText({ text, fields }: EngineFailure): string {
  if (!fields.some(({ field }) => field === 'agent_url')) return text;
  return `${text} Test agents are on 127.0.0.1: start the engine with a policy that allows it (ping.allow_loopback: true), such as POLICY_FILE=rules/policy.local.yml.`;
}

/** Why the engine does not get through to the agents; a container has a loopback of its own. */
async function reachProblem({ client, signal }: TestAgentOffice, id: string): Promise<string | undefined> {
  const path = `/ping-system/agents/${id}/ping`;
  const token = client.operatorToken;
  const answer = await client.ask({ method: 'POST', path, token, schema: PingedAnswer, signal, timeoutMs: 30_000 });
  if (answer.kind === 'failure' || answer.value.reply.kind !== 'unreachable') return undefined;
  const why = answer.value.reply.reason ?? 'no reason given';
  return `The engine at ${client.base} does not reach the test agents on 127.0.0.1 (${why}). It probably runs in a container or behind a tunnel: run the command where the engine runs.`;
}

/** Takes them out of the registry again; those that stayed, and why. */
export async function removeTestAgents(
  client: EngineClient,
  registered: readonly RegisteredTestAgent[],
): Promise<{ readonly left: readonly RegisteredTestAgent[]; readonly why: string | undefined }> {
  const signal = AbortSignal.timeout(REMOVE_MS);
  const queue = [...registered];
  const left = new Set<RegisteredTestAgent>();
  let why: string | undefined;
  async function work(): Promise<void> {
    for (let agent = queue.shift(); agent !== undefined; agent = queue.shift()) {
      const problem = signal.aborted ? undefined : await removeOne(client, agent, signal);
      if (problem === undefined && !signal.aborted) continue;
      why ??= problem;
      left.add(agent);
    }
  }
  await Promise.all(Array.from({ length: REMOVED_AT_ONCE }, work));
  return { left: registered.filter((agent) => left.has(agent)), why };
}

async function removeOne(
  client: EngineClient,
  { id, token: agentToken }: RegisteredTestAgent,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = `/ping-system/agents/${id}`;
  const token = client.registrationToken;
  const answer = await client.ask({ method: 'DELETE', path, token, agentToken, schema: z.unknown(), signal });
  return answer.kind === 'answer' || answer.status === 404 ? undefined : answer.text;
}
