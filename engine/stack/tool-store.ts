/** The `.tools/` directory: one subdirectory per installed tool, each appearing whole or not at all. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Inspection, inspectTool } from './inspection.ts';
import type { Tool } from './tools.ts';
import type { WayOutcome } from './way.ts';

const ABANDONED_AFTER_MS = 3_600_000;

/** Second way to a tool: a copy that an earlier start left in `toolsDir`. */
export async function findKept(tool: Tool, toolsDir: string): Promise<WayOutcome> {
  const kept = (await entries(toolsDir)).filter((name) => name.startsWith(`${tool.main.name}-`));
  const inspection = await inspectTool(
    tool,
    kept.flatMap((name) => programDirectories(join(toolsDir, name))),
  );
  if (inspection.kind === 'usable') return { kind: 'found', tool: inspection.tool };
  return {
    kind: 'missed',
    way: toolsDir,
    reason: inspection.reason,
    fix: 'nothing to do here, a later start finds what this one fetches',
  };
}

/** Runs `work` with a fresh directory on the same file system as the store, and removes what is left of it. */
export async function withScratch<T>(toolsDir: string, work: (directory: string) => Promise<T>): Promise<T> {
  await mkdir(toolsDir, { recursive: true });
  await removeAbandoned(toolsDir);
  const directory = join(toolsDir, `.scratch-${randomUUID()}`);
  await mkdir(directory);
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Checks that the unpacked copy runs, then moves it to its name in the store. The copy of a simultaneous start is as good. */
export async function keepTool(tool: Tool, unpacked: string, target: string): Promise<Inspection> {
  const inspection = await inspectTool(tool, programDirectories(unpacked));
  if (inspection.kind === 'unusable') return inspection;
  if (!(await moveTo(unpacked, target))) {
    const present = await inspectTool(tool, programDirectories(target));
    if (present.kind === 'usable') return present;
    await rm(target, { recursive: true, force: true });
    await moveTo(unpacked, target);
  }
  return inspectTool(tool, programDirectories(target));
}

// Official archives keep programs at their top, Debian packages under usr/.
function programDirectories(root: string): readonly string[] {
  return [root, join(root, 'usr/bin'), join(root, 'usr/sbin')];
}

async function moveTo(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST');
    if (!taken) throw error;
    return false;
  }
}

/** A start that was killed leaves its scratch directory behind; an old one belongs to nobody. */
async function removeAbandoned(toolsDir: string): Promise<void> {
  for (const name of (await entries(toolsDir)).filter((entry) => entry.startsWith('.scratch-'))) {
    const path = join(toolsDir, name);
    const changed = await stat(path).catch(() => undefined);
    if (changed && Date.now() - changed.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}

async function entries(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => []);
}
