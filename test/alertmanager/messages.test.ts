/** What people read: every receiver put to work in a real Alertmanager, and what arrives at its other end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { afterAll, afterEach, describe, expect, it, type TestContext, vi } from 'vitest';
import { z } from 'zod';
import { startAlertmanager } from '../servers/alertmanager.ts';
import { requireTool } from '../servers/require-tool.ts';
import { type Capture, startCapture } from './capture.ts';
import { filledConfig } from './filled-config.ts';
import { type SmtpSink, startSmtpSink } from './smtp-sink.ts';

const secrets = mkdtempSync(join(tmpdir(), 'alertmanager-secrets-'));
afterAll(() => rmSync(secrets, { recursive: true }));
const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const CONFIG = z.looseObject({
  global: z.looseObject({}),
  route: z.looseObject({ routes: z.array(z.looseObject({})) }),
});

/** The filled configuration with every address on this machine, every secret a file, and nothing to wait for. */
function localConfig(capture: Capture, smtp: SmtpSink, changes: Record<string, unknown> = {}): string {
  writeFileSync(join(secrets, 'slack'), `${capture.url}/slack`);
  for (const name of ['pagerduty', 'opsgenie']) writeFileSync(join(secrets, name), 'a-secret');
  const text = filledConfig()
    .replaceAll('/etc/alertmanager/secrets', secrets)
    .replaceAll('http://receiver:9095', capture.url)
    .replaceAll(/group_(wait|interval): \w+/g, 'group_$1: 100ms');
  const config = CONFIG.parse(load(text));
  const { smtp_auth_username: _, smtp_auth_password_file: __, ...global } = config.global;
  const here = {
    ...global,
    smtp_smarthost: `127.0.0.1:${smtp.port}`,
    smtp_hello: 'here',
    smtp_require_tls: false,
    pagerduty_url: `${capture.url}/pagerduty`,
    opsgenie_api_url: `${capture.url}/opsgenie/`,
  };
  return dump({ ...config, global: here, ...changes });
}

interface Chain {
  readonly url: string;
  readonly capture: Capture;
  readonly smtp: SmtpSink;
}

async function startChain(context: TestContext, changes: Record<string, unknown> = {}): Promise<Chain> {
  const tool = await requireTool(context, 'alertmanager');
  const capture = await startCapture();
  endings.push(capture.close);
  const smtp = await startSmtpSink();
  endings.push(smtp.close);
  const { url, stop } = await startAlertmanager({ tool, config: localConfig(capture, smtp, changes) });
  endings.push(stop);
  return { url, capture, smtp };
}

type Labels = Readonly<Record<string, string>>;

function alert(labels: Labels, annotations: Labels = {}, isOver = false) {
  const startsAt = '2026-01-01T12:03:05.000Z';
  const endsAt = isOver ? '2026-01-01T12:09:40.000Z' : new Date(Date.now() + 600_000).toISOString();
  return { labels, annotations, startsAt, endsAt, generatorURL: 'http://127.0.0.1:8000/alerts/00000000deadbeef' };
}

async function post(url: string, alerts: readonly unknown[]): Promise<void> {
  const body = JSON.stringify(alerts);
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
}

const GPU = { UUID: 'GPU-1', instance: 'node-1:9400', Hostname: 'gpu-node-1' };
const HOT = alert(
  { alertname: 'GpuThermalCritical', severity: 'critical', action: 'throttle', ...GPU },
  { summary: 'gpu 3 on gpu-node-1: 91 °C > 85 °C', runbook_url: 'rules/runbooks/GpuThermalCritical.md' },
);
const ECC = alert(
  { alertname: 'GpuEccUncorrectable', severity: 'critical', action: 'quarantine', ...GPU },
  { summary: 'gpu 3 on gpu-node-1: uncorrectable memory errors 2 >= 1' },
);
const warning = (labels: Labels, isOver = false) =>
  alert({ severity: 'warning', ...labels }, { summary: 'gpu 3: <b>81</b> °C >= 80 °C' }, isOver);

/** Labels of what the engine has judged of a node, or of a GPU, as rules/alerts/uptime.yml gives them. */
const judged = (node: string, uuid?: string): Labels => ({
  node,
  instance: node,
  ...(uuid === undefined ? {} : { uuid, UUID: uuid }),
});

async function bodyAt({ capture }: Chain, path: string): Promise<unknown> {
  const found = await vi.waitUntil(() => capture.requests.find((request) => request.path.startsWith(path)), 10_000);
  return JSON.parse(found.body);
}

const LABELS = z.record(z.string(), z.string());
const GOLDEN = join(import.meta.dirname, 'golden');

describe('a message', () => {
  it('to a pager says in one line what is wrong and where, and in a few what to do', async (context) => {
    const chain = await startChain(context);
    await post(chain.url, [HOT, ECC]);
    const { payload } = z
      .object({ payload: z.object({ summary: z.string(), custom_details: z.object({ text: z.string() }) }) })
      .parse(await bodyAt(chain, '/pagerduty'));
    const opsgenie = z.object({ message: z.string(), description: z.string() }).parse(await bodyAt(chain, '/opsgenie'));
    expect([opsgenie.message, opsgenie.description.trim()]).toEqual([
      payload.summary,
      payload.custom_details.text.trim(),
    ]);
    await expect(`${payload.summary}\n\n${payload.custom_details.text}`).toMatchFileSnapshot(`${GOLDEN}/pager.txt`);
  });

  it('to a chat links to the evidence', async (context) => {
    const chain = await startChain(context);
    await post(chain.url, [warning({ alertname: 'GpuThermalWarning', ...GPU })]);
    const { channel, attachments } = z
      .object({
        channel: z.string(),
        attachments: z.array(z.object({ title: z.string(), title_link: z.string(), text: z.string() })),
      })
      .parse(await bodyAt(chain, '/slack'));
    const [{ title, title_link, text } = { title: '', title_link: '', text: '' }] = attachments;
    await expect([channel, title, title_link, '', text].join('\n')).toMatchFileSnapshot(`${GOLDEN}/chat.txt`);
  });

  it('is one for a node, whoever judged it', async (context) => {
    const chain = await startChain(context);
    const hot = { ...GPU, instance: 'n1', UUID: 'GPU-1' };
    await post(chain.url, [
      alert({ alertname: 'GpuThermalCritical', severity: 'critical', ...hot }),
      alert({ alertname: 'GpuConsecutiveFailures', severity: 'critical', ...judged('n1') }),
      alert({ alertname: 'GpuConsecutiveFailures', severity: 'critical', ...judged('n2') }),
    ]);
    const groups = z.array(z.object({ labels: LABELS, alerts: z.array(z.object({ labels: LABELS })) }));
    await vi.waitFor(async () => {
      const found = groups.parse(await (await fetch(`${chain.url}/api/v2/alerts/groups`)).json());
      const names = found.map(({ labels, alerts }) => [labels, alerts.map((one) => one.labels.alertname).sort()]);
      expect(names).toEqual([
        [{ instance: 'n1' }, ['GpuConsecutiveFailures', 'GpuThermalCritical']],
        [{ instance: 'n2' }, ['GpuConsecutiveFailures']],
      ]);
    }, 5000);
  });

  it('by e-mail says when it was over, and lets no label become markup', async (context) => {
    const chain = await startChain(context);
    const labels = { alertname: 'EngineStale', team: 'platform', node: 'gpu-node-1' };
    await post(chain.url, [warning(labels)]);
    await vi.waitUntil(() => chain.smtp.messages.length > 0, 10_000);
    await post(chain.url, [warning(labels, true)]);
    await vi.waitUntil(() => chain.smtp.messages.length > 1, 10_000);
    const readable = chain.smtp.messages.map(readableMail).join('\n=====\n');
    await expect(readable).toMatchFileSnapshot(`${GOLDEN}/mail.txt`);
  });
});

/** Subject and parts, decoded from quoted-printable, without what differs from run to run. */
function readableMail(mail: string): string {
  const boundary = /boundary=(\S+)/.exec(mail)?.[1] ?? 'none';
  const bytes = mail
    .replace(/=\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  const text = Buffer.from(bytes, 'latin1').toString('utf8').replaceAll(boundary, 'BOUNDARY');
  const parts = text
    .split('--BOUNDARY')
    .slice(1, -1)
    .map((part) => part.trim());
  return [/^Subject: .*$/m.exec(text)?.[0], ...parts].join('\n--\n');
}

describe('who is not told', () => {
  const STATUS = z.array(
    z.object({ labels: z.record(z.string(), z.string()), status: z.object({ inhibitedBy: z.array(z.string()) }) }),
  );

  async function muted({ url }: Chain): Promise<readonly string[]> {
    const alerts = STATUS.parse(await (await fetch(`${url}/api/v2/alerts`)).json());
    return alerts.flatMap(({ labels, status }) => (status.inhibitedBy.length > 0 ? [labels.id ?? ''] : [])).sort();
  }

  const down = (labels: Labels) => alert({ alertname: 'GpuNodeDown', severity: 'critical', ...labels });

  it.for([
    [
      'the GPUs of a node that is down',
      [
        down({ instance: 'n1', id: 'down' }),
        alert({ alertname: 'GpuThermalCritical', severity: 'critical', instance: 'n1', UUID: 'a', id: 'its gpu' }),
      ],
      ['its gpu'],
    ],
    [
      'what the engine has judged of those GPUs',
      [
        down({ instance: 'n1', id: 'down' }),
        warning({ alertname: 'GpuUptimeLow', ...judged('n1', 'a'), id: 'low' }),
        alert({ alertname: 'GpuDelayed', severity: 'info', ...judged('n1', 'a'), id: 'delayed' }),
        warning({ alertname: 'GpuNodeDelayed', ...judged('n1'), id: 'node' }),
        warning({ alertname: 'GpuUptimeLow', ...judged('n2', 'b'), id: 'other node' }),
      ],
      ['delayed', 'low'],
    ],
    [
      'warnings about a GPU that is critical',
      [
        alert({ alertname: 'A', severity: 'critical', instance: 'n1', UUID: 'a', id: 'critical' }),
        warning({ alertname: 'B', instance: 'n1', UUID: 'a', id: 'same gpu' }),
        warning({ alertname: 'B', instance: 'n1', UUID: 'b', id: 'other gpu' }),
      ],
      ['same gpu'],
    ],
    [
      'what else is wrong with a GPU that is gone, but not why',
      [
        alert({ alertname: 'GpuLost', severity: 'critical', instance: 'n1', UUID: 'a', id: 'lost' }),
        alert({ alertname: 'GpuXidHardDown', severity: 'critical', instance: 'n1', UUID: 'a', id: 'why' }),
        alert({ alertname: 'GpuThermalCritical', severity: 'critical', instance: 'n1', UUID: 'a', id: 'heat' }),
        alert({ alertname: 'GpuThermalCritical', severity: 'critical', instance: 'n1', UUID: 'b', id: 'other gpu' }),
      ],
      ['heat'],
    ],
    [
      'the delays below a delay, and single GPUs while the observer is the suspect',
      [
        alert({ alertname: 'GpuConsecutiveFailures', severity: 'critical', ...judged('n1'), id: 'failures' }),
        warning({ alertname: 'GpuNodeDelayed', ...judged('n1'), id: 'node' }),
        warning({ alertname: 'GpuDelayed', ...judged('n1', 'a'), id: 'gpu' }),
        warning({ alertname: 'GpuDelayed', ...judged('n2', 'b'), id: 'other node' }),
        alert({ alertname: 'GpuObserverSuspect', severity: 'critical', id: 'suspect' }),
        warning({ alertname: 'GpuUptimeLow', ...judged('n3', 'c'), id: 'low' }),
      ],
      ['gpu', 'low', 'node', 'other node'],
    ],
    [
      'nothing without a GPU, and nothing on another node',
      [
        down({ instance: 'n1', id: 'down' }),
        alert({ alertname: 'A', severity: 'critical', id: 'fleet' }),
        warning({ alertname: 'B', id: 'warning of the fleet' }),
        warning({ alertname: 'B', instance: 'n1', id: 'warning of the node' }),
        alert({ alertname: 'C', severity: 'critical', instance: 'n2', UUID: 'z', id: 'other node' }),
      ],
      [],
    ],
  ] as const)('%s', async ([, alerts, expected], context) => {
    const chain = await startChain(context);
    await post(chain.url, alerts);
    await vi.waitUntil(() => chain.capture.requests.length > 0, 10_000);
    await vi.waitFor(async () => expect(await muted(chain)).toEqual(expected), 5000);
  });

  it('the teams, of warnings, while maintenance is planned; the on-call still hears of critical alerts', async (context) => {
    const always = [{ name: 'planned-maintenance', time_intervals: [{ months: ['1:12'] }] }];
    const chain = await startChain(context, { time_intervals: always });
    await post(chain.url, [warning({ alertname: 'GpuThermalWarning', ...GPU, UUID: 'GPU-2' })]);
    // A group is flushed 100 ms after its first alert: when two later groups have arrived one after the other, it was due.
    for (const instance of ['n1', 'n2']) {
      await post(chain.url, [alert({ alertname: 'GpuLost', severity: 'critical', instance })]);
      const named = (body: string) => body.includes(instance);
      await vi.waitUntil(
        () => chain.capture.requests.some(({ path, body }) => path.startsWith('/pagerduty') && named(body)),
        10_000,
      );
    }
    expect(chain.capture.requests.filter(({ path }) => path === '/slack')).toEqual([]);
  });
});
