/** Real engines, Prometheus and Alertmanagers around a few alerts, and a person's pager that remembers everything. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { startAlertmanager } from '../../servers/alertmanager.ts';
import { startEngine } from '../../servers/engine.ts';
import { freePort } from '../../servers/free-port.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { requireTool } from '../../servers/require-tool.ts';
import type { RunningServer } from '../../servers/server.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

/** An alert believed for four times as long: short enough to run out within a test if nobody sends it again. */
export const RESEND_SECONDS = 3;

/** One alert of a notification. */
interface Paged {
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly startsAt: string;
}

export interface Pager {
  readonly port: number;
  /** `firing Name startsAt`, in the order in which they came. */
  pages(): readonly string[];
}

/** A webhook. */
export async function startPager(): Promise<Pager> {
  const pages: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { alerts } = JSON.parse(Buffer.concat(chunks).toString()) as { alerts: Paged[] };
      pages.push(
        ...alerts.map(
          ({ status, labels, startsAt }) => `${status} ${labels.alertname} ${new Date(startsAt).toISOString()}`,
        ),
      );
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, pages: () => [...pages] };
}

/** Every alert is a group of its own and paged once, so that a page more is a change that it saw. */
function alertmanagerConfig({ port }: Pager): string {
  const webhook_configs = [{ url: `http://127.0.0.1:${port}/`, send_resolved: true }];
  const route = {
    receiver: 'pager',
    group_by: ['...'],
    group_wait: '1ms',
    group_interval: '100ms',
    repeat_interval: '24h',
  };
  return JSON.stringify({ route, receivers: [{ name: 'pager', webhook_configs }] });
}

async function untilFinished(starting: Promise<RunningServer>): Promise<RunningServer> {
  const server = await starting;
  onTestFinished(() => server.stop());
  return server;
}

export async function openAlertmanager(context: TestContext, pager: Pager, port?: number): Promise<RunningServer> {
  const tool = await requireTool(context, 'alertmanager');
  const at = port === undefined ? {} : { port };
  return untilFinished(startAlertmanager({ tool, config: alertmanagerConfig(pager), ...at }));
}

/** Starts a Prometheus that scrapes itself twice a second; each call on the same port and storage as the first. */
export async function prometheusStarter(context: TestContext): Promise<() => Promise<RunningServer>> {
  const tool = await requireTool(context, 'prometheus');
  const [port, storage] = [await freePort(), join(temporaryDirectory(), 'storage')];
  const scrape_configs = [{ job_name: 'self', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }];
  const config = JSON.stringify({ global: { scrape_interval: '500ms', scrape_timeout: '500ms' }, scrape_configs });
  return () => untilFinished(startPrometheus({ tool, port, storage, config }));
}

export interface EngineAround {
  readonly prometheus: string;
  readonly alertmanagers: readonly string[];
  readonly rules: string;
}

/** Starts an engine; each call on the same port and data as the first. */
export async function engineStarter(around: EngineAround): Promise<() => Promise<RunningServer>> {
  const [port, dataDir] = [await freePort(), temporaryDirectory()];
  const file = join(dataDir, 'rules.yml');
  writeFileSync(file, around.rules);
  const env = {
    PROMETHEUS_URL: around.prometheus,
    PROMETHEUS_TIMEOUT_SECONDS: '2',
    ALERTMANAGER_URLS: around.alertmanagers.join(','),
    ALERT_RESEND_SECONDS: String(RESEND_SECONDS),
    ALERT_CHECK_SECONDS: '1',
    RULE_FILES: file,
  };
  return () => untilFinished(startEngine({ env, dataDir, port }));
}

interface AlertAnswer {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
  readonly activeAt: string;
}

/** The pending and firing alerts, with their texts and times. */
export async function alertsOf({ url }: RunningServer): Promise<readonly AlertAnswer[]> {
  const { data } = (await (await fetch(`${url}/api/v1/alerts`)).json()) as { data: { alerts: AlertAnswer[] } };
  return data.alerts
    .map(({ labels, annotations, state, activeAt }) => ({ labels, annotations, state, activeAt }))
    .sort((a, b) => ((a.labels.alertname ?? '') < (b.labels.alertname ?? '') ? -1 : 1));
}

/** How the rules of the engine do, once each. */
export async function healthOf({ url }: RunningServer): Promise<readonly string[]> {
  const { data } = (await (await fetch(`${url}/api/v1/rules`)).json()) as {
    data: { groups: { rules: { health: string }[] }[] };
  };
  return [...new Set(data.groups.flatMap(({ rules }) => rules.map(({ health }) => health)))];
}

/** `Name startsAt` of the alerts that an Alertmanager believes to be active. */
export async function heldBy({ url }: RunningServer): Promise<readonly string[]> {
  const alerts = (await (await fetch(`${url}/api/v2/alerts`)).json()) as Paged[];
  return alerts.map(({ labels, startsAt }) => `${labels.alertname} ${new Date(startsAt).toISOString()}`).sort();
}
