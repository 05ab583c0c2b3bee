/** A real agent in a process of its own, over GPUs that a test plugs in and out. Its first line says where it listens. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import express from 'express';
import { startAgent } from '../../../exporter/agent/agent.ts';
import { openClock } from '../../../exporter/agent/clock.ts';
import { agentRoutes } from '../../../exporter/agent/routes.ts';

const { values } = parseArgs({
  options: { file: { type: 'string', default: '' }, interval: { type: 'string', default: '50' } },
});

const world = { gpus: 8, checks: 0, isAsked: false };
const bootId = crypto.randomUUID();
const start = await startAgent({
  agentId: 'agent-1',
  gpuCheck: () => {
    if (!world.isAsked) process.stdout.write(`${JSON.stringify({ check: ++world.checks })}\n`);
    return { available: world.gpus > 0, gpus: world.gpus, expected: undefined, reason: undefined };
  },
  intervalMs: Number(values.interval),
  maxHistory: 1000,
  checkpointFile: values.file,
  checkpointEvery: 7,
  clock: await openClock(bootId),
  bootId,
  // Turns of the GPUs come with fields; what is left is about the checkpoint.
  log: {
    info: () => undefined,
    warn: (text: unknown) => typeof text === 'string' && process.stderr.write(`${text}\n`),
  },
});

if (start.kind === 'refused') {
  process.stderr.write(`${start.problem}\n`);
  process.exitCode = 1;
} else {
  const app = express();
  // An answer asks for the GPUs too; that is no check.
  app.use((_request, _response, next) => {
    world.isAsked = true;
    next();
    world.isAsked = false;
  });
  const presence = { gpus: {}, events: [], counterEpoch: undefined, atMs: undefined };
  const routes = agentRoutes({ agent: start.agent, reading: () => ({ snapshot: undefined, presence }), now: Date.now });
  for (const [path, { GET }] of Object.entries(routes)) app.get(path, GET);
  app.post('/gpus/:count', (request, response) => {
    world.gpus = Number(request.params.count);
    response.end();
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port })}\n`);
  process.once('SIGTERM', () => {
    server.close().closeAllConnections();
    void start.agent.stop();
  });
}
