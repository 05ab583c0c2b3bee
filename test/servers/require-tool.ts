import type { TestContext } from 'vitest';
import { findInstalledTool } from '../../engine/stack/binaries.ts';
import type { InstalledTool } from '../../engine/stack/inspection.ts';
import { type ToolName, toolNamed } from '../../engine/stack/tools.ts';
import { missSentence } from '../../engine/stack/way.ts';
import { ROOT } from './server.ts';

/**
 * The tool, or a skipped test where a developer does not have it. In CI a missing tool is a failure: a green run must mean
 * that the real servers ran.
 */
export async function requireTool(context: TestContext, name: ToolName): Promise<InstalledTool> {
  const toolsDir = process.env.TOOLS_DIR || `${ROOT}/.tools`;
  const outcome = await findInstalledTool(name, { toolsDir, env: process.env });
  if (outcome.kind === 'found') return outcome.tool;
  const sentence = `${toolNamed(name).title} is needed for this test. ${missSentence(outcome)}`;
  if (process.env.CI) throw new Error(sentence);
  console.warn(`SKIPPED: ${sentence}`);
  return context.skip(sentence);
}

/** Absolute path of a program of the tool, such as promtool of prometheus. */
export function programOf(tool: InstalledTool, name: string): string {
  const path = tool.programs[name];
  if (path === undefined) throw new Error(`${tool.title} has no program ${name}`);
  return path;
}
