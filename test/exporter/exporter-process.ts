/** The real exporter as a child process, for tests and the bench. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../exporter/main.ts', import.meta.url));
const startTimeoutMs = 10_000;
const endTimeoutMs = 5_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningExporter {
  readonly pid: number;
  readonly port: number;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Sends a signal and waits for the end; a process that does not end in time is killed and reported by rejection. */
  end(signal?: NodeJS.Signals): Promise<Ended>;
}

/** Starts the exporter on a free port and waits until it says that it listens. */
export async function startExporterProcess(args: readonly string[] = [], env = {}): Promise<RunningExporter> {
  const { child, ended } = launch(['--port', '0', ...args], env);
  const port = await listeningPort(child, ended);
  if (child.pid === undefined) throw new Error('the exporter has no process id');
  return { pid: child.pid, port, url: `http://127.0.0.1:${port}`, end: (signal) => endProcess(child, ended, signal) };
}

/** Runs the exporter to its end, for command lines that do not keep it running. */
export async function runExporterProcess(args: readonly string[], env = {}): Promise<Ended> {
  const { child, ended } = launch(args, env);
  return within(ended, startTimeoutMs, child);
}

function launch(args: readonly string[], env: Readonly<Record<string, string>>) {
  // Simulated unless a test says otherwise: it must do the same on a machine that has a GPU.
  const simulated = { PATH: process.env.PATH, GPU_SOURCE: 'mock' };
  const child = spawn(process.execPath, ['--no-concurrent-recompilation', entry, ...args], {
    env: { ...simulated, ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]): Ended => ({ code, ...output }));
  return { child, ended };
}

async function listeningPort(child: ChildProcess, ended: Promise<Ended>): Promise<number> {
  const failed = ended.then(({ stderr }) => Promise.reject(new Error(`the exporter ended at once: ${stderr}`)));
  failed.catch(() => undefined);
  return within(Promise.race([firstPort(child), failed]), startTimeoutMs, child);
}

async function firstPort({ stdout }: ChildProcess): Promise<number> {
  if (stdout === null) throw new Error('the exporter has no output to read');
  for await (const line of createInterface({ input: stdout })) {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === 'object' && entry !== null && 'port' in entry) return Number(entry.port);
  }
  throw new Error('the exporter closed its output without saying its port');
}

async function endProcess(
  child: ChildProcess,
  ended: Promise<Ended>,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<Ended> {
  child.kill(signal);
  return within(ended, endTimeoutMs, child);
}

async function within<T>(work: Promise<T>, timeoutMs: number, child: ChildProcess): Promise<T> {
  const timer = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: timer.signal }).then(() => {
    child.kill('SIGKILL');
    throw new Error(`process ${child.pid} took longer than ${timeoutMs} ms and was killed`);
  });
  late.catch(() => undefined);
  return Promise.race([work, late]).finally(() => timer.abort());
}
