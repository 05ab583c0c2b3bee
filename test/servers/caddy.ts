import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledTool } from '../../engine/stack/inspection.ts';
import { freePort } from './free-port.ts';
import { programOf } from './require-tool.ts';
import { type RunningServer, serverDirectory, startServer } from './server.ts';

export interface CaddyStart {
  readonly tool: InstalledTool;
  readonly caddyfile: string;
  readonly port: number;
}

/** A real Caddy without its admin endpoint and certificates, writing nothing outside of its own directory. */
export async function startCaddy({ tool, caddyfile, port }: CaddyStart): Promise<RunningServer> {
  const directory = serverDirectory('caddy');
  const probe = await freePort();
  const file = join(directory, 'Caddyfile');
  const probeSite = `http://127.0.0.1:${probe} {\n\tbind 127.0.0.1\n\trespond 200\n}`;
  writeFileSync(file, `{\n\tadmin off\n\tauto_https off\n}\n${probeSite}\n${caddyfile}`);
  const args = ['run', '--config', file, '--adapter', 'caddyfile'];
  const env = { HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory };
  // The example answers nothing without asking for a decision, so readiness has a port of its own.
  const server = await startServer({
    name: 'caddy',
    program: programOf(tool, 'caddy'),
    args,
    env,
    port: probe,
    readyPath: '/',
    directory,
  });
  return { ...server, port, url: `http://127.0.0.1:${port}` };
}
