/** Runs the finder as a program of its own, so that a test can run it as another user: find-tool.ts NAME TOOLS_DIR RELEASES. */
import { findTool } from '../../../engine/stack/binaries.ts';
import { TOOLS, type ToolName } from '../../../engine/stack/tools.ts';

const [name = '', toolsDir = '', releaseBaseUrl = ''] = process.argv.slice(2);
if (!isToolName(name)) throw new Error(`${name} is not a tool`);
try {
  console.log(JSON.stringify(await findTool(name, { toolsDir, releaseBaseUrl, env: process.env })));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function isToolName(text: string): text is ToolName {
  return text in TOOLS;
}
