import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { ROOT, type RunningServer, serverDirectory, startServer } from './server.ts';

/** The real exporter process with simulated GPUs; `env` are its own variables. */
export async function startExporter({
  env = {},
  port,
}: {
  readonly env?: NodeJS.ProcessEnv;
  readonly port?: number;
} = {}): Promise<RunningServer> {
  const chosen = port ?? (await freePort());
  return startServer({
    name: 'exporter',
    program: process.execPath,
    args: ['--no-concurrent-recompilation', join(ROOT, 'exporter/main.ts')],
    // Simulated unless a test says otherwise: it must do the same on a machine that has a GPU.
    env: { EXPORTER_ADDRESS: '127.0.0.1', GPU_SOURCE: 'mock', ...env, EXPORTER_PORT: String(chosen) },
    port: chosen,
    readyPath: '/-/ready',
    directory: serverDirectory('exporter'),
  });
}
