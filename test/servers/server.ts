/** A real server under test: started on a free port, killed by pid, its directory removed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPart } from '../../engine/stack/process.ts';
import { waitUntilReady } from '../../engine/stack/readiness.ts';

const STOP_GRACE_MS = 5_000;
const READY_MS = 30_000;

export const ROOT = join(import.meta.dirname, '../..');

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Where its configuration, log and data lie until `stop`. */
  readonly directory: string;
  /** Everything it has printed. */
  log(): string;
  /** SIGTERM, patience, SIGKILL; then its directory goes. */
  stop(): Promise<void>;
  /** `kill -9`; the directory stays for the next one to start on, and `stop` still removes it. */
  kill(): Promise<void>;
}

export interface ServerStart {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly port: number;
  readonly readyPath: string;
  readonly directory: string;
}

// What a crashed test file leaves running ends with its process.
const alive = new Set<number>();
process.once('exit', () => alive.forEach(killNow));

export function serverDirectory(name: string): string {
  return mkdtempSync(join(tmpdir(), `gpu-uptime-${name}-`));
}

/** Starts the program and waits until it is ready. Throws with its log when it is not. */
export async function startServer(start: ServerStart): Promise<RunningServer> {
  const { name, program, args, port, directory, readyPath } = start;
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(directory, `${name}.log`);
  const env = { ...process.env, ...start.env };
  const part = startPart({ name, program, args, env, cwd: ROOT, logFile }, () => {});
  alive.add(part.pid);
  const ended = new AbortController();
  void part.exited.then(() => {
    alive.delete(part.pid);
    ended.abort();
  });
  const problem = await waitUntilReady(`${url}${readyPath}`, { timeoutMs: READY_MS, signal: ended.signal });
  const end = async (graceMs: number): Promise<void> => part.stop(graceMs);
  if (problem !== undefined || ended.signal.aborted) {
    await end(0);
    throw new Error(`${name} is not ready: ${problem ?? 'it ended'}\n${part.lastLines().join('\n')}`);
  }
  return {
    url,
    port,
    pid: part.pid,
    directory,
    log: () => readFileSync(logFile, 'utf8'),
    stop: () => end(STOP_GRACE_MS).finally(() => rmSync(directory, { recursive: true, force: true })),
    kill: async () => {
      killNow(part.pid);
      await part.exited;
    },
  };
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
