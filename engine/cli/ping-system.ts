/** `gpu-uptime ping-system`: a live view of the pings of an engine, which it also orders where the engine leaves that to others. */
import { parseArgs } from 'node:util';
import type { Command, CommandIo } from './command.ts';
import { type EngineClient, engineClient } from './engine-client.ts';
import { interruptionOf } from './interruption.ts';
import { paintFor } from './paint.ts';
import { amongTestAgents } from './ping-system/among-test-agents.ts';
import type { Terminal } from './ping-system/live-screen.ts';
import { askDashboard, type Dashboard, watchPings } from './ping-system/ping-watch.ts';

export const pingSystem: Command = {
  name: 'ping-system',
  summary: 'watch the pings of agents live, and ping for an engine that leaves it to others',
  usage: `gpu-uptime ping-system [--server-url URL] [--register-agents [N]] [--dashboard-interval SECONDS] [--concurrency N]

Shows the dashboard of an engine until Ctrl-C: how many agents are how, who is pinged next and how late, and the worst agents
with the reason and what it takes them to recover. On a terminal it is drawn in place, elsewhere one block follows another.

An engine pings by itself, and this only watches. One that was started with PING_SCHEDULER=off leaves it to others: then this
asks every second which agents are due, and has the engine ping each of them.

  --server-url          the engine (http://127.0.0.1:8000)
  --register-agents     start N test agents inside this command (3) and register them; they are removed at the end
  --dashboard-interval  seconds between two looks at the dashboard (30)
  --concurrency         pings in flight at once, where this command pings (100)

Test agents have made-up GPUs, which say so (metadata test: true). The second loses its GPU for one minute of every five,
the third leaves every third ping, and all for a minute after it, without an answer; all others are always fine. They listen
on 127.0.0.1, so they need an engine on this machine whose policy allows that: ping.allow_loopback, as in
rules/policy.local.yml.

  ENGINE_URL                the engine, when --server-url is not given
  GPU_UPTIME_TOKEN          the engine's token, where it wants one for pings and registrations
  AGENT_REGISTRATION_TOKEN  its token for registrations only
  NO_COLOR                  not empty: no colours`,
  run: (args, io) =>
    runPingSystem(args, io, {
      interruption: interruptionOf(['SIGINT', 'SIGTERM', 'SIGHUP']),
      terminal: process.stdout,
    }),
};

interface Surroundings {
  readonly interruption: AbortSignal;
  readonly terminal: Terminal;
}

interface Wish {
  readonly serverUrl: string | undefined;
  /** Undefined for none. */
  readonly testAgents: number | undefined;
  readonly intervalMs: number;
  readonly concurrency: number;
}

const OPTIONS = {
  'server-url': { type: 'string' },
  'register-agents': { type: 'string' },
  'dashboard-interval': { type: 'string', default: '30' },
  concurrency: { type: 'string', default: '100' },
} as const;

const STANDARD_TEST_AGENTS = '3';
const MOST_TEST_AGENTS = 1000;
const MOST_CONCURRENT = 500;
const LONGEST_INTERVAL_S = 86_400;

/** The exit code is 0 when it was interrupted, 1 when the engine cannot or will not, 2 for a wrong command line. */
export async function runPingSystem(
  args: readonly string[],
  io: CommandIo,
  surroundings: Surroundings,
): Promise<number> {
  const wish = readWish(args);
  const client = typeof wish === 'string' ? wish : engineClient(wish.serverUrl, io.env);
  if (typeof wish === 'string' || typeof client === 'string') {
    io.err(`gpu-uptime ping-system: ${typeof wish === 'string' ? wish : client}`);
    return 2;
  }
  const problem = await live(wish, { ...surroundings, io, client });
  if (problem === undefined) return 0;
  io.err(problem);
  return 1;
}

/** A sentence for what is wrong; unknown options are the caller's to explain: parseArgs throws for them. */
function readWish(args: readonly string[]): Wish | string {
  const { values } = parseArgs({ args: args.flatMap(withCount), options: OPTIONS });
  const { 'register-agents': agents, 'dashboard-interval': interval, concurrency } = values;
  const testAgents = agents === undefined ? undefined : wholeNumber(agents, MOST_TEST_AGENTS);
  if (Number.isNaN(testAgents))
    return `--register-agents needs a number from 1 to ${MOST_TEST_AGENTS}, and is "${agents}"`;
  const seconds = /^\d+(\.\d+)?$/.test(interval) ? Number(interval) : Number.NaN;
  if (!(seconds >= 0.1 && seconds <= LONGEST_INTERVAL_S))
    return `--dashboard-interval needs seconds from 0.1 to ${LONGEST_INTERVAL_S}, and is "${interval}"`;
  const atOnce = wholeNumber(concurrency, MOST_CONCURRENT);
  if (Number.isNaN(atOnce)) return `--concurrency needs a number from 1 to ${MOST_CONCURRENT}, and is "${concurrency}"`;
  return { serverUrl: values['server-url'], testAgents, intervalMs: seconds * 1000, concurrency: atOnce };
}

/** The number of test agents may be left out, which parseArgs does not know. */
function withCount(argument: string, at: number, args: readonly string[]): string | readonly string[] {
  const next = args[at + 1];
  const isAlone = argument === '--register-agents' && (next === undefined || next.startsWith('-'));
  return isAlone ? `--register-agents=${STANDARD_TEST_AGENTS}` : argument;
}

function wholeNumber(text: string, most: number): number {
  return /^[1-9]\d{0,5}$/.test(text) && Number(text) <= most ? Number(text) : Number.NaN;
}

interface Live extends Surroundings {
  readonly io: CommandIo;
  readonly client: EngineClient;
}

/** Undefined when it was interrupted; otherwise why it ended. */
async function live(wish: Wish, around: Live): Promise<string | undefined> {
  const first = await firstDashboard(around);
  if (typeof first !== 'object') return first;
  if (wish.testAgents === undefined) return watch(wish, around, first);
  // They are not on the first one.
  return amongTestAgents(wish.testAgents, around, async () => {
    const second = await firstDashboard(around);
    return typeof second === 'object' ? watch(wish, around, second) : second;
  });
}

/** Undefined when it was interrupted; a sentence when there is none. */
async function firstDashboard({ client, interruption }: Live): Promise<Dashboard | string | undefined> {
  const answer = await askDashboard(client, interruption);
  if (interruption.aborted) return undefined;
  return answer.kind === 'failure' ? answer.text : { value: answer.value, atMs: performance.now() };
}

async function watch({ intervalMs, concurrency }: Wish, around: Live, first: Dashboard): Promise<string | undefined> {
  const { terminal, interruption, client, io } = around;
  const isLive = terminal.isTTY === true && io.env.TERM !== 'dumb';
  const paint = paintFor(isLive, io.env);
  const screen = isLive ? terminal : undefined;
  return watchPings({ client, first, intervalMs, concurrency, interruption, screen, paint, out: io.out });
}
