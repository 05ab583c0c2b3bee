/** The body of a registration: unknown in, a draft of an agent out, or every problem it has. */
import { z } from 'zod';
import type { Agent } from '../core/ping/agent.ts';
import type { AgentUrl } from './agent-url.ts';
import { type Metadata, metadataProblems } from './metadata.ts';

/** What an agent says of itself. */
export type AgentDraft = Omit<Agent, 'registeredAtMs' | 'updatedAtMs'>;

export interface RegistrationProblem {
  /** As in `capabilities/2`; empty for the body itself. */
  readonly field: string;
  readonly problem: string;
}

type ReadRegistration =
  | { readonly kind: 'fit'; readonly draft: AgentDraft }
  | { readonly kind: 'unfit'; readonly problems: readonly RegistrationProblem[] };

const MAX_CAPABILITIES = 64;
const MAX_PROBLEMS = 20;

// Ids stand in paths, labels and on terminals.
export const AGENT_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
// Their paths are taken: /ping-system/agents/register and /ping-system/agents/due-for-ping.
const RESERVED_IDS = ['register', 'due-for-ping'];
// As in stabilityai/sdxl-turbo.
const CAPABILITY = /^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}$/;

const id = z
  .string({ error: 'write the id of the agent as text' })
  .regex(AGENT_ID, 'write 1 to 128 of A-Z a-z 0-9 . _ : - beginning with a letter or digit')
  .refine((text) => !RESERVED_IDS.includes(text), 'this is a path of the engine itself; choose another id');

const capability = z
  .string({ error: 'write the name of a capability as text' })
  .regex(CAPABILITY, 'write 1 to 128 of A-Z a-z 0-9 . _ : / + - beginning with a letter or digit');

const metadata = z.unknown().superRefine((value, context) => {
  for (const { key, problem } of metadataProblems(value))
    context.addIssue({ code: 'custom', path: key === undefined ? [] : [key], message: problem, input: value });
});

const REGISTRATION = z.strictObject(
  {
    agent_id: id,
    agent_url: z.string({ error: 'write the base URL of the agent, as http://agent-host:8001' }),
    capabilities: z
      .array(capability, { error: 'write a list of names, as ["gpu-compute"]' })
      .max(MAX_CAPABILITIES, `write at most ${MAX_CAPABILITIES} capabilities`)
      .default([]),
    metadata: metadata.prefault({}),
  },
  { error: bodyProblem },
);

const URL_ONLY = z.looseObject({ agent_url: z.string() });

/** Reads a body as the guide writes it: agent_id, agent_url, capabilities and metadata, of which the last two may lack. */
export function readRegistration(body: unknown, judgeUrl: (text: string) => AgentUrl): ReadRegistration {
  const { data, error } = REGISTRATION.safeParse(body);
  const text = URL_ONLY.safeParse(body).data?.agent_url;
  const url = text === undefined ? undefined : judgeUrl(text);
  if (data !== undefined && url?.kind === 'fit') return { kind: 'fit', draft: draftOf(data, url.base) };
  const problems = [...(error?.issues ?? []).map(problemOf), ...urlProblems(url)];
  return { kind: 'unfit', problems: problems.slice(0, MAX_PROBLEMS) };
}

function draftOf({ agent_id: id, capabilities, metadata }: z.output<typeof REGISTRATION>, url: string): AgentDraft {
  // The schema has checked that it is.
  const said = metadata as Metadata;
  const [node, gpu] = [said.node, said.gpu_uuid];
  return {
    id,
    url,
    capabilities: [...new Set(capabilities)],
    metadata: said,
    node: node === undefined ? instanceOf(url) : String(node),
    gpu: gpu === undefined ? undefined : String(gpu),
  };
}

/**
 * What Prometheus calls it: host and port, of which it always has the port, and the path where there is one, because one host
 * may have many agents. Names of this machine are its address.
 */
export function instanceOf(url: string): string {
  const { hostname, port, protocol, pathname } = new URL(url);
  // RFC 6761: localhost and the names below it are this machine.
  const host = /(^|\.)localhost$/.test(hostname) ? '127.0.0.1' : hostname;
  return `${host}:${port || (protocol === 'https:' ? 443 : 80)}${pathname.replace(/\/+$/, '')}`;
}

function urlProblems(url: AgentUrl | undefined): readonly RegistrationProblem[] {
  return url === undefined || url.kind === 'fit' ? [] : [{ field: 'agent_url', problem: `${url.problem}: ${url.fix}` }];
}

function problemOf({ path, message }: z.core.$ZodIssue): RegistrationProblem {
  return { field: path.map(String).join('/'), problem: message };
}

function bodyProblem(issue: { readonly code?: string; readonly keys?: readonly string[] }): string {
  const fields = 'agent_id, agent_url, capabilities and metadata';
  if (issue.code !== 'unrecognized_keys') return `send a JSON object with ${fields}`;
  return `nothing else is known than ${fields}; what more there is to say belongs into metadata`;
}
