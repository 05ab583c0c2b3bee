/** Where the stack lives, read once from the environment. */
import { join, resolve } from 'node:path';

export interface StackSettings {
  /** Root of this checkout: entry points, rules and configuration files. */
  readonly root: string;
  readonly dataDir: string;
  readonly toolsDir: string;
  readonly env: NodeJS.ProcessEnv;
}

const ROOT = join(import.meta.dirname, '../..');

/** DATA_DIR and TOOLS_DIR, relative to `cwd`; by default `data` and `.tools` beside the sources. */
export function readStackSettings(env: NodeJS.ProcessEnv, cwd: string): StackSettings {
  return {
    root: ROOT,
    dataDir: env.DATA_DIR ? resolve(cwd, env.DATA_DIR) : join(ROOT, 'data'),
    toolsDir: env.TOOLS_DIR ? resolve(cwd, env.TOOLS_DIR) : join(ROOT, '.tools'),
    env,
  };
}
