import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledTool } from '../../engine/stack/inspection.ts';
import { freePort } from './free-port.ts';
import { programOf } from './require-tool.ts';
import { type RunningServer, serverDirectory, startServer } from './server.ts';

export interface PrometheusStart {
  readonly tool: InstalledTool;
  /** prometheus.yml; nothing is scraped without one. */
  readonly config?: string;
  /** An existing storage, for example filled by promtool; a fresh one by default. */
  readonly storage?: string;
  readonly port?: number;
  readonly flags?: readonly string[];
}

/** A real Prometheus that accepts remote write. */
export async function startPrometheus({ tool, config = '{}', ...start }: PrometheusStart): Promise<RunningServer> {
  const directory = serverDirectory('prometheus');
  const port = start.port ?? (await freePort());
  const configFile = join(directory, 'prometheus.yml');
  writeFileSync(configFile, config);
  const args = [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${start.storage ?? join(directory, 'storage')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
    ...(start.flags ?? []),
  ];
  return startServer({
    name: 'prometheus',
    program: programOf(tool, 'prometheus'),
    args,
    port,
    readyPath: '/-/ready',
    directory,
  });
}

/** A configuration that scrapes each job from one address, every `interval`. */
export function scrapeConfig(jobs: Readonly<Record<string, string>>, interval = '1s'): string {
  const scrape_configs = Object.entries(jobs).map(([job_name, target]) => ({
    job_name,
    static_configs: [{ targets: [target] }],
  }));
  // JSON is YAML.
  return JSON.stringify({ global: { scrape_interval: interval, scrape_timeout: interval }, scrape_configs });
}
