import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import bcrypt from 'bcryptjs';
import fc from 'fast-check';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import { type Alerting, withUrls } from '../../../engine/alertmanager/alerting.ts';
import { readAlertingFile } from '../../../engine/alertmanager/alerting-file.ts';
import { Notifier } from '../../../engine/alertmanager/notifier.ts';
import type { LabelSet } from '../../../engine/core/alert.ts';
import { fingerprintOf } from '../../../engine/core/fingerprint.ts';
import { type HttpClient, openHttpClient } from '../../../engine/http-client/client.ts';
import { exchange } from '../../../engine/http-client/exchange.ts';
import { readHttpClientFile } from '../../../engine/http-client/settings-file.ts';
import { startPart } from '../../../engine/stack/process.ts';
import { certificatesFor } from '../../exporter/web/certificates.ts';
import { startAlertmanager } from '../../servers/alertmanager.ts';
import { freePort } from '../../servers/free-port.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { messageOf } from './alert-messages.ts';
import { FakeAlertmanager } from './fake-alertmanager.ts';

const CONFIG = 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function alertmanager(context: TestContext, port?: number) {
  const tool = await requireTool(context, 'alertmanager');
  const server = await startAlertmanager({ tool, config: CONFIG, ...(port === undefined ? {} : { port }) });
  endings.push(server.stop);
  return server;
}

interface HeldAlert {
  readonly fingerprint: string;
  readonly labels: LabelSet;
  readonly generatorURL: string;
}

async function heldBy(url: string): Promise<readonly HeldAlert[]> {
  const list: HeldAlert[] = (await (await fetch(`${url}/api/v2/alerts`)).json()) as HeldAlert[];
  return list.sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
}

async function readAlerting(text: string): Promise<Alerting> {
  const file = join(temporaryDirectory(), 'alerting.yml');
  writeFileSync(file, text);
  const outcome = await readAlertingFile(file, {});
  if (!outcome.ok) throw new Error(outcome.text);
  return outcome.value;
}

const CHECK_EVERY_MS = 250;

function notifier(alerting: Alerting) {
  const problems: string[] = [];
  const sleep = async (ms: number, signal: AbortSignal) => {
    await delay(ms, undefined, { signal }).catch(() => undefined);
  };
  const ports = { now: Date.now, sleep, random: () => 1, onProblem: (text: string) => void problems.push(text) };
  const one = new Notifier({ externalUrl: 'http://engine:8000', checkEveryMs: CHECK_EVERY_MS }, ports);
  endings.push(() => one.close(1000));
  one.use(alerting);
  return {
    one,
    problems,
    send: (sets: readonly LabelSet[]) => one.send(sets.map((set) => messageOf(set, Date.now()))),
  };
}

const gpus = (count: number): LabelSet[] =>
  Array.from({ length: count }, (_, gpu) => ({ alertname: 'Hot', gpu: String(gpu), node: `node-${gpu % 7}` }));

describe('a real Alertmanager', () => {
  it('gives alerts the fingerprints that the engine computes', async (context) => {
    const { url } = await alertmanager(context);
    const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,20}$/).filter((text) => !text.startsWith('__'));
    const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
    const sets = fc.sample(fc.dictionary(name, value, { minKeys: 1, maxKeys: 12 }), { numRuns: 400, seed: 4 });
    const { send } = notifier(withUrls(await readAlerting(''), [url]));
    send(sets);
    const expected = [...new Set(sets.map(fingerprintOf))].sort();
    await expect.poll(async () => (await heldBy(url)).map(({ fingerprint }) => fingerprint)).toEqual(expected);
  });

  it('gets external labels, relabelled alerts, and links to the evidence', async (context) => {
    const { url } = await alertmanager(context);
    const text = `
global: { external_labels: { cluster: eu } }
alerting:
  alert_relabel_configs:
    - { source_labels: [severity], regex: debug, action: drop }
    - { source_labels: [node], regex: '(.*)-.*', target_label: rack }
`;
    const { send } = notifier(withUrls(await readAlerting(text), [url]));
    const own = { alertname: 'Hot', node: 'a-1' };
    send([own, { alertname: 'Chatter', severity: 'debug' }]);
    await expect.poll(() => heldBy(url)).toHaveLength(1);
    expect(await heldBy(url)).toEqual([
      expect.objectContaining({
        labels: { ...own, cluster: 'eu', rack: 'a' },
        generatorURL: `http://engine:8000/alerts/${fingerprintOf(own)}`,
      }),
    ]);
  });

  it('has all alerts back soon after it starts anew with nothing', async (context) => {
    const port = await freePort();
    const first = await alertmanager(context, port);
    const { one, send, problems } = notifier(withUrls(await readAlerting(''), [first.url]));
    send(gpus(150));
    await expect.poll(() => heldBy(first.url)).toHaveLength(150);
    await first.kill();
    await first.stop();
    const second = await alertmanager(context, port);
    await expect.poll(() => heldBy(second.url), { timeout: 10_000 }).toHaveLength(150);
    await expect.poll(() => one.stats().peers[0]?.missing).toBe(150);
    expect(problems).toContain(
      `Alertmanager ${second.url} lacks 150 of 150 alerts that it had accepted; they are sent again`,
    );
  });

  it('keeps the good alerts of a batch in which it refuses one', async (context) => {
    const { url } = await alertmanager(context);
    const { one, send, problems } = notifier(withUrls(await readAlerting(''), [url]));
    send([...gpus(20), { alertname: 'Odd', 'not-a-label-name': 'x' }, { alertname: 'Last' }]);
    await expect.poll(() => one.stats().peers[0]?.queueLength).toBe(0);
    await expect.poll(() => one.stats().peers[0]?.dropped).toBe(1);
    await expect.poll(() => heldBy(url)).toHaveLength(21);
    expect(problems).toEqual([expect.stringMatching(/refuses the alert .*not-a-label-name.*: it answered 400: /)]);
    // A check that ends so late has begun after all that.
    const checkedLate = Date.now() + CHECK_EVERY_MS;
    await expect.poll(() => one.stats().peers[0]?.checkedAt, { timeout: 5000 }).toBeGreaterThan(checkedLate);
    expect(one.stats().peers[0]?.missing).toBe(0);
  });

  it('gets every alert while another peer is dead and a third never answers', async (context) => {
    const { url } = await alertmanager(context);
    const hanging = new FakeAlertmanager();
    hanging.behave = () => 'hang';
    const hangingUrl = await hanging.listen();
    endings.push(() => hanging.close());
    const deadUrl = `http://127.0.0.1:${await freePort()}`;
    const { one, send } = notifier(withUrls(await readAlerting(''), [deadUrl, hangingUrl, url]));
    send(gpus(100));
    await expect.poll(() => heldBy(url), { timeout: 3000 }).toHaveLength(100);
    expect(one.stats().peers.map(({ sent }) => sent)).toEqual([0, 0, 100]);
  });

  it('has got what was queued when the engine stops', async (context) => {
    const { url } = await alertmanager(context);
    const { one, send } = notifier(withUrls(await readAlerting(''), [url]));
    send(gpus(500));
    await one.close(3000);
    expect(await heldBy(url)).toHaveLength(500);
  });
});

describe('a real Alertmanager with TLS, client certificates and passwords', () => {
  async function secured(context: TestContext) {
    const tool = await requireTool(context, 'alertmanager');
    const { directory } = certificatesFor(context);
    const folder = temporaryDirectory();
    const at = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const tls = { cert_file: `${directory}/server.pem`, key_file: `${directory}/server.key` };
    const web = {
      tls_server_config: {
        ...tls,
        client_auth_type: 'RequireAndVerifyClientCert',
        client_ca_file: `${directory}/ca.pem`,
      },
      basic_auth_users: { engine: bcrypt.hashSync('right', 4) },
    };
    const port = await freePort();
    const args = [
      `--config.file=${at('alertmanager.yml', CONFIG)}`,
      `--storage.path=${join(folder, 'storage')}`,
      `--web.config.file=${at('web.yml', JSON.stringify(web))}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ];
    const program = programOf(tool, 'alertmanager');
    const logFile = join(folder, 'alertmanager.log');
    const part = startPart({ name: 'alertmanager', program, args, env: process.env, cwd: folder, logFile }, () => {});
    endings.push(() => part.stop(5000));
    const password = at('password', 'right\n');
    const http = {
      basic_auth: { username: 'engine', password_file: password },
      tls_config: {
        ca_file: `${directory}/ca.pem`,
        cert_file: `${directory}/client.pem`,
        key_file: `${directory}/client.key`,
        server_name: 'localhost',
      },
    };
    const outcome = await readHttpClientFile(at('client.yml', JSON.stringify(http)));
    if (!outcome.ok) throw new Error(outcome.text);
    const client = openHttpClient(outcome.value);
    endings.push(() => client.close());
    const url = `https://127.0.0.1:${port}`;
    await expect.poll(() => get(client, `${url}/-/ready`), { timeout: 10_000 }).toBe('OK');
    return { url, port, password, directory, http, client };
  }

  async function get(client: HttpClient, url: string): Promise<string> {
    const signal = AbortSignal.timeout(2000);
    return exchange(client, { method: 'GET', url, signal, maxBytes: 1_000_000 }).then(
      ({ text }) => text.trim(),
      (error: Error) => error.message,
    );
  }

  it('is reached as the alerting file says, and again when the password file is mended', async (context) => {
    const { url, port, http, client, password } = await secured(context);
    const held = async () => (JSON.parse(await get(client, `${url}/api/v2/alerts`)) as HeldAlert[]).length;
    const entry = { scheme: 'https', ...http, static_configs: [{ targets: [`127.0.0.1:${port}`] }] };
    const { one, send } = notifier(await readAlerting(JSON.stringify({ alerting: { alertmanagers: [entry] } })));
    send(gpus(3));
    await expect.poll(held).toBe(3);

    writeFileSync(password, 'wrong\n');
    send([{ alertname: 'Later' }]);
    await expect.poll(() => one.stats().peers[0]?.lastError).toBe('answered 401: Unauthorized');
    writeFileSync(password, 'right\n');
    await expect.poll(held, { timeout: 5000 }).toBe(4);
  });

  it.for([
    [
      'no client certificate',
      { cert_file: undefined, key_file: undefined },
      /certificate required|other side closed|ECONNRESET/,
    ],
    ['a stranger’s certificate', 'stranger', /unknown ca|other side closed|ECONNRESET/],
    ['another authority', { ca_file: 'other-ca.pem' }, /unable to verify|self-signed|local issuer/],
    ['another name', { server_name: 'example.com' }, /does not match certificate/],
  ] as const)('is not reached with %s, and the reason is said', async ([_, change, reason], context) => {
    const { url, directory, http } = await secured(context);
    const { tls_config: tls } = http;
    const changed =
      change === 'stranger'
        ? { ...tls, cert_file: `${directory}/stranger.pem`, key_file: `${directory}/stranger.key` }
        : { ...tls, ...change, ...('ca_file' in change ? { ca_file: `${directory}/${change.ca_file}` } : {}) };
    const file = join(temporaryDirectory(), 'client.yml');
    writeFileSync(file, JSON.stringify({ ...http, tls_config: changed }));
    const outcome = await readHttpClientFile(file);
    if (!outcome.ok) throw new Error(outcome.text);
    const client = openHttpClient(outcome.value);
    endings.push(() => client.close());
    expect(await get(client, `${url}/api/v2/alerts`)).toMatch(reason);
  });
});

describe('a real Prometheus with the same alerting file', () => {
  it('sends the same labels', async (context) => {
    const tool = await requireTool(context, 'prometheus');
    const [theirs, ours] = [new FakeAlertmanager(), new FakeAlertmanager()];
    const hosts = { theirs: await theirs.listen(), ours: await ours.listen() };
    endings.push(
      () => theirs.close(),
      () => ours.close(),
    );
    const config = (url: string, ruleFile = '') => `
global: { evaluation_interval: 1s, external_labels: { cluster: eu-1, replica: a, gpu: any } }
rule_files: [${ruleFile}]
alerting:
  alert_relabel_configs:
    - { regex: replica, action: labeldrop }
    - { source_labels: [node, gpu], regex: '(.*);(.*)', target_label: 'card_$2', replacement: '\${1}' }
    - { source_labels: [node], modulus: 16, target_label: shard, action: hashmod }
    - { source_labels: [severity], regex: debug, action: drop }
    - { regex: '(clu)ster', replacement: '\${1}b', action: labelmap }
    - { source_labels: [team], target_label: team, action: uppercase }
  alertmanagers:
    - static_configs: [{ targets: ['${new URL(url).host}'] }]
`;
    const sets: LabelSet[] = [
      { alertname: 'A', node: 'n-1', gpu: '3', team: 'infra' },
      { alertname: 'B', node: 'n-2' },
      { alertname: 'C', severity: 'debug' },
      { alertname: 'D', cluster: 'own', team: 'Größe' },
    ];
    const rules = sets.map(({ alertname, ...labels }) => ({ alert: alertname, expr: 'vector(1)', labels }));
    const ruleFile = join(temporaryDirectory(), 'rules.yml');
    writeFileSync(ruleFile, JSON.stringify({ groups: [{ name: 'all', rules }] }));
    const prometheus = await startPrometheus({
      tool,
      config: config(hosts.theirs, ruleFile),
      // It discovers Alertmanagers only after the first alerts have been sent.
      flags: ['--rules.alert.resend-delay=1s'],
    });
    endings.push(prometheus.stop);
    notifier(await readAlerting(config(hosts.ours))).send(sets);
    const labelsAt = ({ posts }: FakeAlertmanager) =>
      posts
        .flat()
        .map(({ labels }) => labels)
        .sort((a, b) => (fingerprintOf(a) < fingerprintOf(b) ? -1 : 1));
    await expect.poll(() => labelsAt(ours)).toHaveLength(3);
    await expect.poll(() => new Set(labelsAt(theirs).map(fingerprintOf)).size, { timeout: 15_000 }).toBe(3);
    const unique = [...new Map(labelsAt(theirs).map((labels) => [fingerprintOf(labels), labels])).values()];
    expect(labelsAt(ours)).toEqual(unique);
  });
});
