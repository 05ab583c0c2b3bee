import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { localAlertmanagerConfig, localPrometheusConfig } from '../../../engine/stack/configs.ts';

const PORTS = { exporter: 1, prometheus: 2, alertmanager: 3, engine: 4, notifications: 5 };
const ROOT = join(import.meta.dirname, '../../..');

describe('localPrometheusConfig', () => {
  it('points every job of rules/prometheus.yml at this machine, and leaves out the host job', () => {
    const text = readFileSync(join(ROOT, 'rules/prometheus.yml'), 'utf8');
    expect(load(localPrometheusConfig(text, '/repo/rules', PORTS))).toEqual({
      global: { scrape_interval: '5s', scrape_timeout: '4s' },
      rule_files: ['/repo/rules/alerts/engine.yml'],
      alerting: { alertmanagers: [{ static_configs: [{ targets: ['127.0.0.1:3'] }] }] },
      scrape_configs: [
        { job_name: 'prometheus', static_configs: [{ targets: ['127.0.0.1:2'] }] },
        { job_name: 'gpu', static_configs: [{ targets: ['127.0.0.1:1'] }] },
        expect.objectContaining({
          job_name: 'agents',
          http_sd_configs: [{ url: 'http://127.0.0.1:4/sd/agents', refresh_interval: '30s' }],
          relabel_configs: expect.arrayContaining([
            { source_labels: ['__address__'], regex: '127.0.0.1:1', action: 'drop' },
          ]),
        }),
        { job_name: 'engine', static_configs: [{ targets: ['127.0.0.1:4'] }] },
        { job_name: 'alertmanager', static_configs: [{ targets: ['127.0.0.1:3'] }] },
      ],
    });
  });

  it('also where they are asked for targets, and in relabelling rules', () => {
    const jobs = `
      - job_name: agents
        http_sd_configs: [{ url: "http://engine:8000/sd/agents" }]
        relabel_configs: [{ source_labels: [__address__], regex: "exporter:9400", action: drop }]
      - job_name: node
        static_configs: [{ targets: ["node-exporter:9100"] }]`;
    expect(load(localPrometheusConfig(`rule_files: []\nscrape_configs:${jobs}`, '/repo/rules', PORTS))).toEqual({
      rule_files: [],
      scrape_configs: [
        {
          job_name: 'agents',
          http_sd_configs: [{ url: 'http://127.0.0.1:4/sd/agents' }],
          relabel_configs: [{ source_labels: ['__address__'], regex: '127.0.0.1:1', action: 'drop' }],
        },
      ],
    });
  });
});

describe('localAlertmanagerConfig', () => {
  it('sends to the receiver of this machine and finds templates beside the original', () => {
    const text =
      'templates: [templates/*.tmpl]\nreceivers: [{name: a, webhook_configs: [{url: "http://receiver:9095/notifications"}]}]';
    expect(load(localAlertmanagerConfig(text, '/repo/alertmanager', PORTS))).toEqual({
      templates: ['/repo/alertmanager/templates/*.tmpl'],
      receivers: [{ name: 'a', webhook_configs: [{ url: 'http://127.0.0.1:5/notifications' }] }],
    });
  });
});
