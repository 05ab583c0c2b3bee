/** `data/stack.json`: which processes belong to this data directory, so that a killed launcher's are found again. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Part } from './process.ts';
import { Refusal } from './refusal.ts';

const STOP_GRACE_MS = 5_000;
const POLL_MS = 50;

const RecordedProcess = z.object({ pid: z.number().int().positive(), command: z.array(z.string()).min(1) });
const StackFile = z.object({
  launcher: RecordedProcess,
  parts: z.array(RecordedProcess.extend({ name: z.string() })),
});

type RecordedProcess = z.infer<typeof RecordedProcess>;

/**
 * Writes down who runs, by the command line that the system shows: a wrapper script may have become another program.
 * Synchronous, so that no part is ever unrecorded when the launcher is killed.
 */
export function recordStack(dataDir: string, parts: readonly Part[]): void {
  const file: z.infer<typeof StackFile> = {
    launcher: { pid: process.pid, command: [...(commandOf(process.pid) ?? [process.execPath])] },
    parts: parts
      .filter(({ pid }) => pid > 0)
      .map(({ name, pid, spec }) => ({ name, pid, command: [...(commandOf(pid) ?? [spec.program, ...spec.args])] })),
  };
  writeFileSync(stackFile(dataDir), `${JSON.stringify(file, undefined, 2)}\n`);
}

/** Forgets the stack once all of its parts are gone. */
export function forgetStack(dataDir: string): void {
  rmSync(stackFile(dataDir), { force: true });
}

/** Ends the parts that a killed launcher left behind; returns their names. Throws Refusal when the launcher is alive. */
export async function endStaleParts(dataDir: string): Promise<readonly string[]> {
  const recorded = readStackFile(dataDir);
  if (recorded === undefined) return [];
  if (isRunning(recorded.launcher) && recorded.launcher.pid !== process.pid) {
    const { pid } = recorded.launcher;
    throw new Refusal([
      `gpu-uptime already runs on ${dataDir} (pid ${pid}); stop it, or set DATA_DIR to another directory.`,
    ]);
  }
  const stale = recorded.parts.filter(isRunning);
  await Promise.all(stale.map(end));
  return stale.map(({ name }) => name);
}

function stackFile(dataDir: string): string {
  return join(dataDir, 'stack.json');
}

function readStackFile(dataDir: string): z.infer<typeof StackFile> | undefined {
  try {
    return StackFile.parse(JSON.parse(readFileSync(stackFile(dataDir), 'utf8')));
  } catch {
    // Absent, or cut short by the same kill: there is nothing to go by.
    return undefined;
  }
}

async function end(recorded: RecordedProcess): Promise<void> {
  const deadline = Date.now() + STOP_GRACE_MS;
  signal(recorded.pid, 'SIGTERM');
  while (isRunning(recorded)) {
    if (Date.now() > deadline) signal(recorded.pid, 'SIGKILL');
    await delay(POLL_MS);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}

/** A pid alone proves nothing, it may have been given to another program since: the whole command line must be the same. */
function isRunning({ pid, command }: RecordedProcess): boolean {
  return commandOf(pid)?.join(' ') === command.join(' ');
}

function commandOf(pid: number): readonly string[] | undefined {
  if (process.platform === 'linux') return linuxCommandOf(pid);
  const { status, stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 ? [stdout.trim()] : undefined;
}

function linuxCommandOf(pid: number): readonly string[] | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    // A process that has ended but was not collected yet has no command line left.
    return command.length > 0 ? command : undefined;
  } catch {
    return undefined;
  }
}
