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

/**
 * `text` with every job scraping its part on this machine, alerts going to this machine's Alertmanager, and rules read from
 * `directory`, where the file lies. Jobs of parts that do not run here are left out.
 */
export function localPrometheusConfig(text: string, directory: string, ports: Ports): string {
  const config = PrometheusConfig.parse(load(text));
  const jobs: Readonly<Record<string, number>> = {
    prometheus: ports.prometheus,
    gpu: ports.exporter,
    engine: ports.engine,
    alertmanager: ports.alertmanager,
  };
  const scrape_configs = config.scrape_configs.flatMap((job) => {
    const port = jobs[job.job_name];
    return port === undefined ? [] : [{ ...job, static_configs: [{ targets: [`${LOOPBACK}:${port}`] }] }];
  });
  const rule_files = config.rule_files.map((path) => join(directory, path));
  const alerting = { alertmanagers: [{ static_configs: [{ targets: [`${LOOPBACK}:${ports.alertmanager}`] }] }] };
  return dump({ ...config, rule_files, alerting, scrape_configs });
}

/** `text` with notifications going to this machine's receiver and templates read from `directory`, where the file lies. */
export function localAlertmanagerConfig(text: string, directory: string, ports: Ports): string {
  const config = AlertmanagerConfig.parse(
    load(text.replaceAll(COMPOSE_RECEIVER, `${LOOPBACK}:${ports.notifications}`)),
  );
  const templates = config.templates?.map((path) => (isAbsolute(path) ? path : join(directory, path)));
  return dump({ ...config, ...(templates && { templates }) });
}
