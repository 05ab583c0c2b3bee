/** One driver process, seen from the exporter: asked one question at a time, watched while it answers, killed when it does not. */

import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { GpuIdentity } from '../../snapshot.ts';
import { firstWithin } from '../../waiting.ts';
import {
  type ChildEvent,
  type ChildOptions,
  createLineCutter,
  parseEvent,
  parseReport,
  type Question,
  reportFd,
} from './protocol.ts';
import { createQuestionWatch, type Outcome, type TimeLimits } from './question-watch.ts';

export type Launch = (options: ChildOptions) => ChildProcess;

export interface DriverProcess {
  readonly pid: number | undefined;
  /** One question at a time. Never rejects. */
  ask(question: Question): Promise<Outcome>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  /** Resolves when the process has ended, and after `ms` at the latest. */
  endsWithin(ms: number): Promise<void>;
  /** Lets it give the library back and end by itself; one that is wedged cannot, and kills itself. */
  dismiss(): void;
  kill(): void;
}

export interface DriverProcessOptions {
  readonly child: ChildOptions;
  readonly limits: TimeLimits;
  readonly launch?: Launch | undefined;
  readonly onEvent?: ((event: ChildEvent) => void) | undefined;
  /** A GPU has said who it is. */
  readonly onMet?: ((identity: GpuIdentity) => void) | undefined;
  /** One line of stdout or stderr. */
  readonly onOutput?: ((pid: number | undefined, line: string) => void) | undefined;
}

const childEntry = fileURLToPath(new URL('./child.ts', import.meta.url));
// It reads once a second: compilers and a large young generation would cost 15 MiB and save half a percent of one CPU.
const runtimeFlags = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--no-sparkplug',
  '--no-maglev',
  '--no-turbofan',
];
// Sixteen GPUs with all their links are a tenth of this.
const longestReport = 4_194_304;
const longestOutputLine = 500;

/** Starts the real driver process. */
export function launchChild(options: ChildOptions): ChildProcess {
  const cache = getCompileCacheDir();
  return fork(childEntry, [JSON.stringify(options)], {
    execArgv: runtimeFlags,
    env: cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache },
    // Measured for 8 and 16 GPUs: cheaper than 'advanced', a quarter of a millisecond for each round.
    serialization: 'json',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
  });
}

/** Starts a process at once. It keeps the exporter from ending only while it is asked. */
export function startDriverProcess({
  child: childOptions,
  limits,
  launch,
  onEvent,
  onMet,
  onOutput,
}: DriverProcessOptions): DriverProcess {
  const child = (launch ?? launchChild)(childOptions);
  const watch = createQuestionWatch(limits, (request) => child.connected && child.send(request, () => undefined));
  const ended = watchEnd(child, watch.lost);
  onLines(child.stdio?.[reportFd], longestReport, (line) => {
    const report = parseReport(line);
    if (report?.kind === 'met') onMet?.(report.identity);
    else if (report !== undefined) watch.report(report);
  });
  child.on('message', (message) => {
    const event = parseEvent(message);
    if (event !== undefined) onEvent?.(event);
  });
  for (const stream of [child.stdout, child.stderr]) {
    onLines(stream, longestOutputLine, (line) => onOutput?.(child.pid, line));
  }
  letGo(child);
  return {
    pid: child.pid,
    ask: watch.ask,
    ended,
    // Held open: whoever waits here may have nothing else to stay for.
    endsWithin: (ms) => firstWithin(ended, ms, { ref: true }),
    dismiss: () => {
      // Without the channel there is no 'close', and what the process was doing does not matter any more.
      child.once('exit', () => watch.lost('The driver process was dismissed.', true));
      if (child.connected) child.disconnect();
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

// 'close' comes behind the last line of every pipe, so that a crash knows what was touched last.
function watchEnd(child: ChildProcess, lost: (message: string, isOutside: boolean) => void): Promise<void> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      lost(`The driver process could not be started: ${error.message}.`, true);
      resolve();
    });
    child.once('exit', () => resolve());
    child.once('close', (code, signal) => lost(howItEnded(code, signal), isFromOutside(signal)));
  });
}

function howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null
    ? `The driver process has ended with exit code ${code}.`
    : `The driver process was ended by ${signal}.`;
}

// A driver call faults; these come from people, from systemd, or from a machine that ran out of memory.
function isFromOutside(signal: NodeJS.Signals | null): boolean {
  return signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGINT' || signal === 'SIGHUP';
}

function onLines(stream: unknown, longest: number, onLine: (line: string) => void): void {
  if (!(stream instanceof Socket)) return;
  stream.setEncoding('utf8').on('data', createLineCutter(longest, onLine));
  // A process that is killed takes its end of the pipe with it, which is no news.
  stream.on('error', () => undefined);
}

// A process that cannot be killed must not hold the exporter when that wants to end. One that could not be started has no streams.
function letGo(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  for (const stream of child.stdio ?? []) if (stream instanceof Socket) stream.unref();
}
