/** `gpu-uptime agents register`, `remove` and `ping`: what changes something. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { CommandIo } from '../command.ts';
import { PingedAnswer, RegisteredAnswer } from '../engine-answers.ts';
import { tokenProblem } from '../engine-client.ts';
import { dueText, spanText } from '../time-text.ts';
import { agentPath, isOutcome, misunderstood, type Outcome, onlyId, withEngine } from './outcome.ts';

const ENGINE = { 'server-url': { type: 'string' } } as const;
const OWNER = { ...ENGINE, 'agent-token': { type: 'string' } } as const;
const REGISTER = {
  ...OWNER,
  id: { type: 'string' },
  url: { type: 'string' },
  capability: { type: 'string', multiple: true, default: [] as string[] },
  metadata: { type: 'string', multiple: true, default: [] as string[] },
} as const;

// An agent's answer, and what the engine asks Prometheus about it.
const PING_MS = 60_000;

export async function registerAgent(args: readonly string[], io: CommandIo): Promise<Outcome> {
  const { values } = parseArgs({ args: [...args], options: REGISTER });
  const { id, url, capability: capabilities = [], metadata = [] } = values;
  if (id === undefined || url === undefined)
    return misunderstood('give --id and --url, as in --id agent-001 --url http://agent-host:8001');
  const strange = metadata.find((entry) => !METADATA.test(entry));
  if (strange !== undefined)
    return misunderstood(`--metadata needs NAME=VALUE, such as gpu_model="RTX 4090", and is "${strange}"`);
  const body = { agent_id: id, agent_url: url, capabilities, metadata: Object.fromEntries(metadata.map(entryOf)) };
  return asOwner(values, io, async (client, agentToken) => {
    const token = client.registrationToken;
    const path = '/ping-system/agents/register';
    const answer = await client.ask({ method: 'POST', path, body, token, agentToken, schema: RegisteredAnswer });
    return answer.kind === 'failure' ? answer : registeredOutcome(answer.value, answer.atMs / 1000);
  });
}

const METADATA = /^([^=]+)=(.*)$/s;

function entryOf(text: string): readonly [string, string] {
  const [, key = '', value = ''] = METADATA.exec(text) ?? [];
  return [key, value];
}

function registeredOutcome(answer: z.infer<typeof RegisteredAnswer>, nowSeconds: number): Outcome {
  const { result, agent_token: token, agent } = answer;
  const id = agent.agent_id;
  if (token === undefined) {
    const what = result === 'changed' ? 'was changed' : 'is registered already, exactly so';
    return { kind: 'done', code: 0, text: '', note: `${id} ${what}.` };
  }
  const due = dueText(agent.ping.next_ping_at, nowSeconds);
  const note = `${id} is registered, and its first ping is due ${due}. Keep its token: it is told only now, and whoever has it may change and remove the agent.`;
  return { kind: 'done', code: 0, text: token, note };
}

type Change = (client: Parameters<Parameters<typeof withEngine>[2]>[0], token: string | undefined) => Promise<Outcome>;

/** Shows the agent's own token, which the environment keeps from other users of the machine. */
function asOwner(
  values: { readonly 'server-url'?: string | undefined; readonly 'agent-token'?: string | undefined },
  io: CommandIo,
  change: Change,
): Promise<Outcome> {
  const agentToken = values['agent-token'] || io.env.AGENT_TOKEN || undefined;
  const problem = tokenProblem('AGENT_TOKEN (or --agent-token)', agentToken);
  if (problem !== undefined) return Promise.resolve(misunderstood(problem));
  return withEngine(values['server-url'], io, (client) => change(client, agentToken));
}

export async function removeAgent(args: readonly string[], io: CommandIo): Promise<Outcome> {
  const { values, positionals } = parseArgs({ args: [...args], options: OWNER, allowPositionals: true });
  const named = onlyId('remove', positionals);
  if (isOutcome(named)) return named;
  const { id } = named;
  return asOwner(values, io, async (client, agentToken) => {
    const [token, path] = [client.registrationToken, agentPath(id)];
    const answer = await client.ask({ method: 'DELETE', path, token, agentToken, schema: z.unknown() });
    if (answer.kind === 'answer') return { kind: 'done', code: 0, text: `${id} was removed.` };
    if (answer.status !== 403) return answer;
    // Whether the engine has an operator, and so what GPU_UPTIME_TOKEN is good for, is its own to say.
    return { ...answer, text: `${answer.text} Here the Agent-Token is taken from AGENT_TOKEN or --agent-token.` };
  });
}

export async function pingAgentNow(args: readonly string[], io: CommandIo): Promise<Outcome> {
  const { values, positionals } = parseArgs({ args: [...args], options: ENGINE, allowPositionals: true });
  const named = onlyId('ping', positionals);
  if (isOutcome(named)) return named;
  return withEngine(values['server-url'], io, async (client) => {
    const [token, path] = [client.operatorToken, agentPath(named.id, '/ping')];
    const answer = await client.ask({ method: 'POST', path, token, schema: PingedAnswer, timeoutMs: PING_MS });
    if (answer.kind === 'failure') return answer;
    const isGood = answer.value.outcome === 'good';
    return { kind: 'done', code: isGood ? 0 : 1, text: pingedText(answer.value, answer.atMs / 1000) };
  });
}

function pingedText(answer: PingedAnswer, nowSeconds: number): string {
  const { agent, outcome, reply, reason, round_trip_seconds: roundTrip, why_not: whyNot } = answer;
  const { ping } = agent;
  const found = (outcome ?? reply.kind).replaceAll('_', ' ');
  const why = reason ?? reply.reason ?? '';
  const next = `next ping ${dueText(ping.next_ping_at, nowSeconds)}, at an interval of ${spanText(ping.interval_seconds)}`;
  return [
    `${agent.agent_id}: ${found}${why === '' ? '' : `, ${why}`}`,
    ...(roundTrip === null ? [] : [`  answered in ${spanText(roundTrip)}`]),
    ...(whyNot === null ? [] : [`  does not count: ${whyNot}`]),
    `  ${next}`,
  ].join('\n');
}
