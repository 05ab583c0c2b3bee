/** Whether the agent itself can be trusted; the GPUs it watches are another question. */

export interface AgentHealthFacts {
  readonly bootId: string;
  readonly seq: number;
  readonly intervalMs: number;
  /** Undefined before the first check since the machine was booted. */
  readonly lastCheckAgeMs: number | undefined;
  /** Time since the loop last came round, whether it could make a check or not. */
  readonly idleMs: number;
  /** Why the history is not safe on disk. */
  readonly disk: string | undefined;
}

export interface AgentHealth {
  readonly status: 'healthy' | 'unhealthy';
  readonly bootId: string;
  readonly seq: number;
  readonly intervalMs: number;
  readonly lastCheckAgeMs: number | undefined;
  readonly isCheckpointWritable: boolean;
  readonly problems: readonly string[];
}

// A busy machine may be late with one check, not with three.
const patienceIntervals = 3;

/** Healthy means that checks are made in time, and that they would survive the process. */
export function agentHealth({ idleMs, disk, ...facts }: AgentHealthFacts): AgentHealth {
  const problems = [idleProblem(idleMs, facts.intervalMs), disk].filter((problem) => problem !== undefined);
  return {
    ...facts,
    status: problems.length === 0 ? 'healthy' : 'unhealthy',
    isCheckpointWritable: disk === undefined,
    problems,
  };
}

function idleProblem(idleMs: number, intervalMs: number): string | undefined {
  if (idleMs <= patienceIntervals * intervalMs) return undefined;
  const [idle, interval] = [Math.round(idleMs / 1000), intervalMs / 1000];
  return `no check has been made for ${idle} s, one is due every ${interval} s: the process was stopped or has too little CPU`;
}
