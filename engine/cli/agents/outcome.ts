/** What became of a command about agents: what to print, and the exit code. */
import type { CommandIo } from '../command.ts';
import { type EngineClient, engineClient } from '../engine-client.ts';
import type { EngineFailure } from '../engine-failure.ts';

export type Outcome =
  | {
      readonly kind: 'done';
      /** 1 for an agent that is not well. */
      readonly code: 0 | 1;
      /** For standard output; nothing when empty. */
      readonly text: string;
      /** For people, on standard error. */
      readonly note?: string;
    }
  | { readonly kind: 'misunderstood'; readonly text: string }
  | EngineFailure;

export function misunderstood(text: string): Outcome {
  return { kind: 'misunderstood', text };
}

/** Does something with the engine that the command line or the environment names. */
export async function withEngine(
  serverUrl: string | undefined,
  { env }: CommandIo,
  action: (client: EngineClient) => Promise<Outcome>,
): Promise<Outcome> {
  const client = engineClient(serverUrl, env);
  return typeof client === 'string' ? misunderstood(client) : action(client);
}

/** The one id that such a command is about. */
export function onlyId(command: string, positionals: readonly string[]): { readonly id: string } | Outcome {
  const [id, ...more] = positionals;
  if (id !== undefined && id !== '' && more.length === 0) return { id };
  return misunderstood(`name one agent, as in gpu-uptime agents ${command} agent-001`);
}

export function isOutcome(value: object): value is Outcome {
  return 'kind' in value;
}

/** A whole number from 1 on; NaN for anything else. */
export function wholeNumber(text: string): number {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN;
}

export function agentPath(id: string, rest = ''): string {
  return `/ping-system/agents/${encodeURIComponent(id)}${rest}`;
}
