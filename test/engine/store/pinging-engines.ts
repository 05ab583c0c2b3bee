/** Engines as processes of their own that ping the agents of one store, and what must hold whatever happens to them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import type { PingStores } from './ping-fixtures.ts';

const PROGRAM = fileURLToPath(new URL('./pinging-process.ts', import.meta.url));

interface Pinger {
  readonly child: ChildProcess;
  /** What it has printed since it was told to begin. */
  readonly lines: readonly string[];
  begin(): void;
  readonly ended: Promise<unknown>;
}

interface Pinging {
  readonly leaseMs: number;
  readonly pauseMs: number;
  readonly nextInMs: number;
}

/** An engine of its own, ready to ping. */
export async function startPinger(store: string, { leaseMs, pauseMs, nextInMs }: Pinging): Promise<Pinger> {
  const args = [PROGRAM, store, leaseMs, pauseMs, nextInMs].map(String);
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  await once(output, 'line');
  output.on('line', (line) => lines.push(line));
  return { child, lines, begin: () => child.stdin.write('go\n'), ended };
}

/** Every agent's state must be the one after its newest ping, and the totals those of all pings. */
export async function expectNothingHalfWritten({ agents, pings }: PingStores): Promise<number> {
  let decided = 0;
  for (const { agent, state } of await agents.list(undefined, 1000)) {
    const everything = { agentId: agent.id, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, before: undefined, limit: 1e6 };
    const history = await pings.history(everything);
    expect(history.map(({ sequence }) => sequence)).toEqual(history.map((_, at) => history.length - at));
    expect([state?.pings, state?.lastPingAtMs]).toEqual([history.length, history[0]?.atMs]);
    decided += history.length;
  }
  const counted = (await pings.totals(0)).reduce((sum, { pings: more }) => sum + more, 0);
  expect(counted).toBe(decided);
  return decided;
}
