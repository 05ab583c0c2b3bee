/** Turns the configuration files of the compose network into ones for this machine: service names become loopback ports. */
import { isAbsolute, join } from 'node:path';
import { dump, load } from 'js-yaml';
import { z } from 'zod';
import { LOOPBACK, type Ports } from './ports.ts';

const PrometheusConfig = z.looseObject({
  rule_files: z.array(z.string()),
  scrape_configs: z.array(z.looseObject({ job_name: z.string() })),
});
const AlertmanagerConfig = z.looseObject({ templates: z.array(z.string()).optional() });

/** Where the receiver listens inside of the compose network. */
const COMPOSE_RECEIVER = 'receiver:9095';

/** The host itself is watched in the compose network only. */
const COMPOSE_JOBS = ['node'];

/**
 * `text` with every part as it listens on this machine, wherever it is named: as a target, for discovery, in a relabelling
 * rule. Rules are read from `directory`, where the file lies. Jobs of parts that do not run here are left out.
 */
export function localPrometheusConfig(text: string, directory: string, ports: Ports): string {
  const hosts = {
    'localhost:9090': ports.prometheus,
    'exporter:9400': ports.exporter,
    'engine:8000': ports.engine,
    'alertmanager:9093': ports.alertmanager,
  };
  const local = Object.entries(hosts).reduce((all, [host, port]) => all.replaceAll(host, `${LOOPBACK}:${port}`), text);
  const config = PrometheusConfig.parse(load(local));
  const scrape_configs = config.scrape_configs.filter(({ job_name }) => !COMPOSE_JOBS.includes(job_name));
  const rule_files = config.rule_files.map((path) => join(directory, path));
  return dump({ ...config, rule_files, scrape_configs });
}

/** `text` with notifications going to this machine's receiver and templates read from `directory`, where the file lies. */
export function localAlertmanagerConfig(text: string, directory: string, ports: Ports): string {
  const config = AlertmanagerConfig.parse(
    load(text.replaceAll(COMPOSE_RECEIVER, `${LOOPBACK}:${ports.notifications}`)),
  );
  const templates = config.templates?.map((path) => (isAbsolute(path) ? path : join(directory, path)));
  return dump({ ...config, ...(templates && { templates }) });
}
