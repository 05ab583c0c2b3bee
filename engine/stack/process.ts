/** One part of the stack as an operating system process: its log, its last words, its end. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../text/message-of.ts';

const LAST_LINES = 15;
/** How long output may trail behind the exit of the process that wrote it. */
const FLUSH_MS = 500;

export interface PartSpec {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Begun anew at each start. */
  readonly logFile: string;
}

/** How a process ended: `exit code 1`, `SIGKILL`, or why it never began. */
export type PartExit = string;

export interface Part {
  readonly name: string;
  readonly pid: number;
  readonly spec: PartSpec;
  /** Settles when the process is gone. */
  readonly exited: Promise<PartExit>;
  lastLines(): readonly string[];
  /** SIGTERM, and SIGKILL for what is left after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Starts the process in its own group, so that Ctrl-C in a terminal reaches only the launcher. */
export function startPart(spec: PartSpec, onLine: (line: string) => void): Part {
  const child: Child = spawn(spec.program, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log = createWriteStream(spec.logFile);
  // A full disk costs the log, not the stack.
  log.on('error', () => {});
  const recent: string[] = [];
  const hear = (line: string): void => {
    recent.push(line);
    if (recent.length > LAST_LINES) recent.shift();
    onLine(line);
  };
  follow(child.stdout, log, hear);
  follow(child.stderr, log, hear);
  const exited = exitOf(child, log);
  const stop = (graceMs: number) => stopChild(child, exited, graceMs);
  return { name: spec.name, pid: child.pid ?? 0, spec, exited, lastLines: () => [...recent], stop };
}

function follow(output: Readable, log: WriteStream, hear: (line: string) => void): void {
  output.pipe(log, { end: false });
  createInterface({ input: output }).on('line', hear);
}

async function exitOf(child: Child, log: WriteStream): Promise<PartExit> {
  const closed = once(child, 'close').catch(() => undefined);
  try {
    const [code, signal]: (number | string | null)[] = await once(child, 'exit');
    await Promise.race([closed, delay(FLUSH_MS)]);
    return signal === null ? `exit code ${code}` : String(signal);
  } catch (error) {
    return messageOf(error);
  } finally {
    log.end();
    // Whoever waits for the end may remove the log's directory next.
    await finished(log).catch(() => undefined);
  }
}

async function stopChild(child: Child, exited: Promise<PartExit>, graceMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = new AbortController();
  const patience = delay(graceMs, undefined, { signal: timer.signal }).then(
    () => child.kill('SIGKILL'),
    () => false,
  );
  await exited;
  timer.abort();
  await patience;
}
