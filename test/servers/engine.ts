import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { ROOT, type RunningServer, serverDirectory, startServer } from './server.ts';

export interface EngineStart {
  /** PROMETHEUS_URL, ALERTMANAGER_URLS, POLICY_FILE, RULE_FILES … */
  readonly env: NodeJS.ProcessEnv;
  /** An existing data directory, for a restart; a fresh one that disappears by default. */
  readonly dataDir?: string;
  readonly port?: number;
}

/** The real engine process; returns when it is healthy, which is before its first decision. */
export async function startEngine({ env, dataDir, port }: EngineStart): Promise<RunningServer> {
  const chosen = port ?? (await freePort());
  const directory = serverDirectory('engine');
  return startServer({
    name: 'engine',
    program: process.execPath,
    args: ['--max-semi-space-size=4', join(ROOT, 'engine/main.ts')],
    env: {
      DATA_DIR: dataDir ?? join(directory, 'data'),
      ENGINE_ADDRESS: '127.0.0.1',
      ...env,
      ENGINE_PORT: String(chosen),
    },
    port: chosen,
    readyPath: '/-/healthy',
    directory,
  });
}
