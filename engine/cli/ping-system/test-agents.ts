/** Test agents: one HTTP server on 127.0.0.1 that answers as many agents would, told apart by the beginning of the path. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Behaviour, HANG_MS, hangs } from './test-agent-behaviour.ts';
import type { TestAgentLife } from './test-agent-history.ts';
import { type AgentReply, agentRoute, isPing, problemReply } from './test-agent-routes.ts';

export interface TestAgents {
  /** Adds one more, which begins its life now; its base URL, which ends with its id. */
  add(id: string, behaviour: Behaviour): string;
  close(): Promise<void>;
}

export interface TestAgentClock {
  /** Wall time, for labels. */
  readonly wallMs: () => number;
  /** Never set, for durations. */
  readonly steadyMs: () => number;
}

interface TestAgent {
  readonly id: string;
  readonly life: TestAgentLife;
  readonly startedMs: number;
  readonly hangsAt: (atMs: number) => boolean;
}

const HOST = '127.0.0.1';

/** Listens on a port that the system chooses. Rejects when the system has none. */
export async function startTestAgents(clock: TestAgentClock): Promise<TestAgents> {
  const agents = new Map<string, TestAgent>();
  const server = createServer((request, response) => {
    const reply = replyTo(request, agents, clock);
    if (reply === undefined) return;
    const { status, type, body } = reply;
    // A cached answer would hand one reader's cursor to another.
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
  });
  // Whoever waits longer for an agent that hangs is cut off, so that no connection stays for ever.
  server.setTimeout(HANG_MS);
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    add: (id, behaviour) => {
      const life = { bootId: randomUUID(), startedAtMs: clock.wallMs(), hasGpuAt: behaviour.hasGpuAt };
      agents.set(id, { id, life, startedMs: clock.steadyMs(), hangsAt: hangs(behaviour) });
      return `http://${HOST}:${port}/${id}`;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Undefined for an agent that hangs. */
function replyTo(
  { url: target = '/', method = 'GET' }: IncomingMessage,
  agents: ReadonlyMap<string, TestAgent>,
  { wallMs, steadyMs }: TestAgentClock,
): AgentReply | undefined {
  const url = URL.parse(target, `http://${HOST}`);
  const [, id = '', ...rest] = url?.pathname.split('/') ?? [];
  const path = `/${rest.join('/')}`;
  const [agent, route] = [agents.get(id), agentRoute(path)];
  if (url === null || agent === undefined || route === undefined)
    return problemReply(404, 'Test agents answer to /agent/… and /metrics below their ids.');
  if (method !== 'GET' && method !== 'HEAD') return problemReply(405, 'Test agents are only asked: use GET.');
  if (isPing(path) && agent.hangsAt(steadyMs())) return undefined;
  const answering = { id, life: agent.life, elapsedMs: steadyMs() - agent.startedMs, nowMs: wallMs() };
  return route(answering, url.searchParams);
}
