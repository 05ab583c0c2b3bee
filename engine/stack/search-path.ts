/** First way to a tool: the directories of PATH. */
import { delimiter, isAbsolute } from 'node:path';
import { inspectTool } from './inspection.ts';
import type { Tool } from './tools.ts';
import type { WayOutcome } from './way.ts';

/** Finds `tool` in `searchPath` (the value of PATH) and in the directories where distributions keep it. */
export async function findOnPath(tool: Tool, searchPath: string): Promise<WayOutcome> {
  // A relative entry would mean another program in every working directory.
  const directories = searchPath.split(delimiter).filter((entry) => isAbsolute(entry));
  const inspection = await inspectTool(tool, [...directories, ...(tool.systemDirectories ?? [])]);
  if (inspection.kind === 'usable') return { kind: 'found', tool: inspection.tool };
  const fix = `install ${tool.title} ${tool.minimumVersion} or newer, or add its directory to PATH`;
  return { kind: 'missed', way: 'PATH', reason: inspection.reason, fix };
}
