/** Child process: simulated agents on real sockets, whose parent tells them how to behave and hears what they were asked. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AskedCounts } from './agent-asked.ts';
import { BEHAVIOURS, type Behaviour } from './agent-behaviours.ts';
import type { FleetAgent, FleetOrder, FleetSetup } from './agent-fleet.ts';
import { AgentLife } from './agent-life.ts';

interface Played extends FleetAgent {
  readonly life: AgentLife;
  readonly asked: AskedCounts;
  /** Undefined where agents share one port. */
  readonly server: Server | undefined;
  behaviour: Behaviour;
}

// Not the address of all other tests: a thousand listeners would take ports that these have just found free.
const HOST = '127.0.0.2';
const BACKLOG = 4096;
const PING_PATH = '/agent/uptime-since-last-ping';

const setup = JSON.parse(process.argv[2] ?? '') as FleetSetup;
const played = new Map<string, Played>();
const ids = Array.from({ length: setup.count }, (_, nth) => `${setup.prefix}-${String(nth).padStart(5, '0')}`);

async function listen(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: HOST, backlog: BACKLOG }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

function join(id: string, url: string, server: Server | undefined): void {
  const life = new AgentLife(id, setup.checkMs, Date.now());
  played.set(id, { id, url, life, asked: new AskedCounts(), server, behaviour: 'good' });
}

async function openOwnPorts(): Promise<void> {
  for (const id of ids) {
    const server = createServer((request, response) => answer(played.get(id), request, response));
    join(id, `http://${HOST}:${await listen(server)}`, server);
  }
}

/** One port for all: the first part of the path says which agent is meant. */
async function openSharedPort(): Promise<void> {
  const server = createServer((request, response) => {
    answer(played.get(/^\/([^/]+)\//.exec(request.url ?? '')?.[1] ?? ''), request, response);
  });
  const port = await listen(server);
  for (const id of ids) join(id, `http://${HOST}:${port}/${id}`, undefined);
}

function answer(agent: Played | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (agent === undefined || !new URL(request.url ?? '', 'http://agent').pathname.endsWith(PING_PATH)) {
    response.writeHead(404).end();
    return;
  }
  const atMs = Date.now();
  const end = agent.asked.begin(atMs);
  response.once('close', end);
  BEHAVIOURS[agent.behaviour]({ life: agent.life, request, response, atMs });
}

async function behave(agent: Played, behaviour: Behaviour): Promise<void> {
  const wasClosed = agent.behaviour === 'closed';
  agent.behaviour = behaviour;
  agent.life.hasGpu(behaviour !== 'no_gpu', Date.now());
  if (agent.server === undefined || wasClosed === (behaviour === 'closed')) return;
  if (wasClosed) await listen(agent.server, Number(new URL(agent.url).port));
  else agent.server.close();
}

async function obey(order: FleetOrder): Promise<unknown> {
  if (order.kind === 'report') return Object.fromEntries([...played].map(([id, { asked }]) => [id, asked.report()]));
  const agents = order.ids.flatMap((id) => played.get(id) ?? []);
  if (order.kind === 'restart') for (const { life } of agents) life.restart(Date.now());
  else await Promise.all(agents.map((agent) => behave(agent, order.behaviour)));
  return {};
}

process.on('message', async (order: FleetOrder) => process.send?.(await obey(order)));
process.once('disconnect', () => process.exit());
if (setup.ports === 'own') await openOwnPorts();
else await openSharedPort();
process.send?.([...played.values()].map(({ id, url }): FleetAgent => ({ id, url })));
