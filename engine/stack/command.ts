/** Runs a short-lived program to its end, with a deadline that also ends whatever it started. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export type CommandResult =
  | { readonly ok: true; readonly output: string }
  /** `problem` completes a sentence that starts with the program's name. */
  | { readonly ok: false; readonly output: string; readonly problem: string };

/** Runs `program` and gathers what it prints; it never throws and never outlives `timeoutMs`. */
export function runCommand(program: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  // Its own process group: killing only a wrapper script would leave its children holding our pipes open.
  const child = spawn(program, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => output.push(text));
  return settle(child, output, options.timeoutMs);
}

function settle(child: ChildProcess, output: readonly string[], timeoutMs: number): Promise<CommandResult> {
  return new Promise((resolve) => {
    const fail = (problem: string) => resolve({ ok: false, output: output.join(''), problem });
    const deadline = setTimeout(() => {
      fail(`did not finish within ${timeoutMs / 1000} s`);
      killGroup(child);
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(deadline);
      fail(`could not be started (${error.message})`);
    });
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      if (code === 0) resolve({ ok: true, output: output.join('') });
      else fail(`ended with ${signal ?? `exit code ${code}`}${lastLine(output.join(''))}`);
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1);
  return line ? ` (${line})` : '';
}
