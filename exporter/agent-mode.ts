/** The agent inside the exporter: it takes the truth about the GPUs from the readings that are made anyway. */

import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type AgentStart, startAgent } from './agent/agent.ts';
import { checkpointName } from './agent/checkpoint-name.ts';
import { openClock } from './agent/clock.ts';
import { judgeGpus } from './agent/gpu-truth.ts';
import type { Config } from './config/parse.ts';
import type { ExporterNode } from './node.ts';
import { maxAgeOf } from './node-directory.ts';

export interface AgentModeParts {
  readonly node: Pick<ExporterNode, 'scrape'>;
  readonly now: () => number;
  readonly log: Logger;
}

export async function startAgentMode(config: Config, { node, now, log }: AgentModeParts): Promise<AgentStart> {
  const bootId = randomUUID();
  return startAgent({
    agentId: config.agentId,
    gpuCheck: () => {
      const { snapshot, failure } = node.scrape.reading().state;
      return judgeGpus({
        snapshot,
        failure,
        atMs: now(),
        maxAgeMs: maxAgeOf(config),
        expectedGpus: config.expectedGpus,
      });
    },
    intervalMs: config.agentCheckIntervalSeconds * 1000,
    maxHistory: config.agentMaxHistory,
    checkpointFile: config.agentCheckpointFile ?? `data/${checkpointName(config.agentId)}`,
    checkpointEvery: config.agentCheckpointInterval,
    clock: await openClock(bootId),
    bootId,
    log,
  });
}
