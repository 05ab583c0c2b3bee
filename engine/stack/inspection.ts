/** Looks for a tool's programs in directories and asks the main one for its version. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from './command.ts';
import type { Program, Tool } from './tools.ts';
import { isAtLeast, readVersion } from './version.ts';

const VERSION_TIMEOUT_MS = 10_000;

/** A tool that runs on this machine: absolute paths by program name. */
export interface InstalledTool {
  readonly title: string;
  readonly version: string;
  readonly programs: Readonly<Record<string, string>>;
}

export type Inspection =
  | { readonly kind: 'usable'; readonly tool: InstalledTool }
  | { readonly kind: 'unusable'; readonly reason: string };

/** The first usable copy of `tool` in `directories`, or why there is none. */
export async function inspectTool(tool: Tool, directories: readonly string[]): Promise<Inspection> {
  const reasons: string[] = [];
  for (const path of await executables(tool.main, directories)) {
    const inspection = await inspectCopy(tool, path, directories);
    if (inspection.kind === 'usable') return inspection;
    reasons.push(inspection.reason);
  }
  return {
    kind: 'unusable',
    reason: reasons.join(', and ') || `no program named ${names(tool.main).join(' or ')} is there`,
  };
}

async function inspectCopy(tool: Tool, path: string, directories: readonly string[]): Promise<Inspection> {
  const version = await askVersion(tool, path);
  if (version.kind === 'unusable') return version;
  const programs: Record<string, string> = { [tool.main.name]: path };
  for (const companion of tool.companions) {
    const [found] = await executables(companion, [dirname(path), ...directories]);
    if (found === undefined) return { kind: 'unusable', reason: `${path} comes without ${companion.name}` };
    programs[companion.name] = found;
  }
  return { kind: 'usable', tool: { title: tool.title, version: version.version, programs } };
}

type Answer =
  | { readonly kind: 'answered'; readonly version: string }
  | { readonly kind: 'unusable'; readonly reason: string };

async function askVersion(tool: Tool, path: string): Promise<Answer> {
  const result = await runCommand(path, tool.versionArguments, { timeoutMs: VERSION_TIMEOUT_MS });
  if (!result.ok) return { kind: 'unusable', reason: `${path} ${result.problem} when asked for its version` };
  const version = readVersion(result.output);
  if (version === undefined) return { kind: 'unusable', reason: `${path} does not say which version it is` };
  if (isAtLeast(version, tool.minimumVersion)) return { kind: 'answered', version };
  return { kind: 'unusable', reason: `${path} is version ${version}, older than ${tool.minimumVersion}` };
}

async function executables(program: Program, directories: readonly string[]): Promise<readonly string[]> {
  const candidates = directories.flatMap((directory) => names(program).map((name) => join(directory, name)));
  const checked = await Promise.all(candidates.map(async (path) => ((await isExecutable(path)) ? [path] : [])));
  return checked.flat();
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function names(program: Program): readonly string[] {
  return [program.name, ...(program.alsoNamed ?? [])];
}
