import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledTool } from '../../engine/stack/inspection.ts';
import { freePort } from './free-port.ts';
import { programOf } from './require-tool.ts';
import { type RunningServer, serverDirectory, startServer } from './server.ts';

export interface NginxStart {
  readonly tool: InstalledTool;
  /** What would stand in http { ... }. */
  readonly http: string;
  readonly port: number;
}

/** A real nginx that keeps everything it writes in its own directory. */
export async function startNginx({ tool, http, port }: NginxStart): Promise<RunningServer> {
  const directory = serverDirectory('nginx');
  const probe = await freePort();
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, mainConfig(directory, http, probe));
  const args = ['-e', 'stderr', '-p', directory, '-c', file];
  // The example answers nothing without asking for a decision, so readiness has a port of its own.
  const server = await startServer({
    name: 'nginx',
    program: programOf(tool, 'nginx'),
    args,
    port: probe,
    readyPath: '/',
    directory,
  });
  return { ...server, port, url: `http://127.0.0.1:${port}` };
}

function mainConfig(directory: string, http: string, probe: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
# One process under one pid; as root its workers would be another user, who may not write here.
master_process off;
pid ${directory}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  server { listen 127.0.0.1:${probe}; return 200; }
${http}
}
`;
}
