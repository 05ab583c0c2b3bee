/** Many agents on real sockets in one process of their own, which behave as they are told. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AskedReport } from './agent-asked.ts';
import type { Behaviour } from './agent-behaviours.ts';

export interface FleetSetup {
  readonly count: number;
  /** Ids are the prefix and a number of five digits. */
  readonly prefix: string;
  /** A port for each agent, or one for all with the id as the first part of the path. */
  readonly ports: 'own' | 'shared';
  /** Between two checks of its GPU. */
  readonly checkMs: number;
}

export interface FleetAgent {
  readonly id: string;
  readonly url: string;
}

export type FleetOrder =
  | { readonly kind: 'behave'; readonly ids: readonly string[]; readonly behaviour: Behaviour }
  /** As after a restart that found no checkpoint: a new boot id, and no history. */
  | { readonly kind: 'restart'; readonly ids: readonly string[] }
  | { readonly kind: 'report' };

export interface AgentFleet {
  readonly pid: number;
  readonly agents: readonly FleetAgent[];
  behave(ids: readonly string[], behaviour: Behaviour): Promise<void>;
  restart(ids: readonly string[]): Promise<void>;
  /** By agent id; of an agent that was never asked as well. */
  report(): Promise<ReadonlyMap<string, AskedReport>>;
  stop(): Promise<void>;
}

/** Resolves when every agent listens; all of them behave well. */
export async function startAgentFleet(setup: Partial<FleetSetup> & Pick<FleetSetup, 'count'>): Promise<AgentFleet> {
  const whole: FleetSetup = { prefix: 'agent', ports: 'own', checkMs: 500, ...setup };
  const module = fileURLToPath(import.meta.resolve('./agent-fleet-process.ts'));
  const child = fork(module, [JSON.stringify(whole)]);
  const agents = (await nextMessage(child)) as readonly FleetAgent[];
  let last: Promise<unknown> = Promise.resolve();
  // Answers carry no number: one question at a time.
  const tell = (order: FleetOrder): Promise<unknown> => {
    last = last.then(() => {
      child.send(order);
      return nextMessage(child);
    });
    return last;
  };
  return {
    pid: child.pid ?? 0,
    agents,
    behave: async (ids, behaviour) => void (await tell({ kind: 'behave', ids, behaviour })),
    restart: async (ids) => void (await tell({ kind: 'restart', ids })),
    report: async () => new Map(Object.entries((await tell({ kind: 'report' })) as Record<string, AskedReport>)),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    },
  };
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const heard = new AbortController();
  const ended = once(child, 'exit', { signal: heard.signal }).then(() => {
    throw new Error('the process of the simulated agents has ended');
  });
  try {
    const [message]: unknown[] = await Promise.race([once(child, 'message', { signal: heard.signal }), ended]);
    return message;
  } finally {
    ended.catch(() => undefined);
    heard.abort();
  }
}
