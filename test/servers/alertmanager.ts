import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledTool } from '../../engine/stack/inspection.ts';
import { freePort } from './free-port.ts';
import { programOf } from './require-tool.ts';
import { type RunningServer, serverDirectory, startServer } from './server.ts';

export interface AlertmanagerStart {
  readonly tool: InstalledTool;
  /** alertmanager.yml. */
  readonly config: string;
  readonly port?: number;
  readonly flags?: readonly string[];
}

/** A real Alertmanager without peers. */
export async function startAlertmanager({ tool, config, ...start }: AlertmanagerStart): Promise<RunningServer> {
  const directory = serverDirectory('alertmanager');
  const port = start.port ?? (await freePort());
  const configFile = join(directory, 'alertmanager.yml');
  writeFileSync(configFile, config);
  const args = [
    `--config.file=${configFile}`,
    `--storage.path=${join(directory, 'storage')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
    ...(start.flags ?? []),
  ];
  const program = programOf(tool, 'alertmanager');
  return startServer({ name: 'alertmanager', program, args, port, readyPath: '/-/ready', directory });
}
