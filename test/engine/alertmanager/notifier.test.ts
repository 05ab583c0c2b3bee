import { Resolver } from 'node:dns/promises';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Alerting, withUrls } from '../../../engine/alertmanager/alerting.ts';
import { readAlertingFile } from '../../../engine/alertmanager/alerting-file.ts';
import { Notifier } from '../../../engine/alertmanager/notifier.ts';
import type { LabelSet } from '../../../engine/core/alert.ts';
import type { AlertMessage } from '../../../engine/core/delivery.ts';
import { startDnsServer } from '../../servers/dns.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { messageOf } from './alert-messages.ts';
import { FakeAlertmanager } from './fake-alertmanager.ts';

const NOW = Date.UTC(2026, 0, 1, 12);

const message = (labels: LabelSet, overrides: Partial<AlertMessage> = {}) => messageOf(labels, NOW, overrides);

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function fakeAlertmanager() {
  const server = new FakeAlertmanager();
  const url = await server.listen();
  endings.push(() => server.close());
  const alerts = () => server.posts.flat().map(({ labels }) => labels);
  return { server, url, host: new URL(url).host, alerts };
}

async function readAlerting(text: string, folder = temporaryDirectory()): Promise<Alerting> {
  const file = join(folder, 'alerting.yml');
  writeFileSync(file, text);
  const outcome = await readAlertingFile(file, {});
  if (!outcome.ok) throw new Error(outcome.text);
  return outcome.value;
}

/** Wakes sleepers whenever a test says so. */
function notifier(resolver?: Resolver) {
  const problems: string[] = [];
  const sleepers = new Set<() => void>();
  const sleep = (_ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      sleepers.add(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  const ports = { now: () => NOW, sleep, random: () => 1, onProblem: (text: string) => void problems.push(text) };
  const one = new Notifier(
    { externalUrl: 'http://engine:8000/', drainMs: 60_000 },
    resolver === undefined ? ports : { ...ports, resolver },
  );
  endings.push(() => one.close(100));
  const wake = () => {
    for (const sleeper of [...sleepers]) {
      sleepers.delete(sleeper);
      sleeper();
    }
  };
  const names = () => one.stats().peers.map(({ url }) => url);
  return { one, problems, wake, names };
}

describe('Notifier: what arrives', () => {
  it('links to the evidence, by the fingerprint of the alert’s own labels', async () => {
    const { server, url } = await fakeAlertmanager();
    const { one } = notifier();
    one.use(withUrls(await readAlerting('global: { external_labels: { cluster: eu } }'), [url]));
    one.send([message({ alertname: 'Hot' })]);
    await vi.waitFor(() => expect(server.posts).toHaveLength(1));
    const [alert] = server.posts.flat();
    expect(alert?.labels).toEqual({ alertname: 'Hot', cluster: 'eu' });
    expect(alert?.generatorURL).toBe('http://engine:8000/alerts/592ecc9a3acefc0b');
    expect(URL.canParse(alert?.generatorURL ?? '')).toBe(true);
  });

  it('adds external labels, then relabels for all, then for each group', async () => {
    const [every, critical] = [await fakeAlertmanager(), await fakeAlertmanager()];
    const { one } = notifier();
    one.use(
      await readAlerting(`
global: { external_labels: { cluster: eu, gpu: any } }
alerting:
  alert_relabel_configs:
    - { source_labels: [cluster], target_label: region }
    - { source_labels: [alertname], regex: Silly, action: drop }
  alertmanagers:
    - static_configs: [{ targets: ['${every.host}'] }]
    - static_configs: [{ targets: ['${critical.host}'] }]
      alert_relabel_configs:
        - { source_labels: [severity], regex: critical, action: keep }
        - { regex: cluster, action: labeldrop }
`),
    );
    one.send([
      message({ alertname: 'Hot', gpu: '3', severity: 'critical' }),
      message({ alertname: 'Warm', severity: 'warning' }),
      message({ alertname: 'Silly', severity: 'critical' }),
    ]);
    await vi.waitFor(() => expect(every.alerts()).toHaveLength(2));
    await vi.waitFor(() => expect(critical.alerts()).toHaveLength(1));
    expect(every.alerts()).toEqual([
      { alertname: 'Hot', gpu: '3', severity: 'critical', cluster: 'eu', region: 'eu' },
      { alertname: 'Warm', gpu: 'any', severity: 'warning', cluster: 'eu', region: 'eu' },
    ]);
    expect(critical.alerts()).toEqual([{ alertname: 'Hot', gpu: '3', severity: 'critical', region: 'eu' }]);
    expect(one.stats().relabelledAway).toBe(2);
  });

  it('drops and counts an alert without labels left', async () => {
    const { server, url } = await fakeAlertmanager();
    const { one } = notifier();
    const rules = 'alerting: { alert_relabel_configs: [{ regex: alertname|gpu, action: labeldrop }] }';
    one.use(withUrls(await readAlerting(rules), [url]));
    one.send([message({ alertname: 'Hot', gpu: '3' }), message({ alertname: 'Hot', node: 'a' })]);
    await vi.waitFor(() => expect(server.posts.flat().map(({ labels }) => labels)).toEqual([{ node: 'a' }]));
    expect(one.stats().relabelledAway).toBe(1);
  });

  it('sends alerts that relabelling made one as one: the newest, since the first', async () => {
    const { server, url } = await fakeAlertmanager();
    const { one } = notifier();
    one.use(
      withUrls(await readAlerting('alerting: { alert_relabel_configs: [{ regex: gpu, action: labeldrop }] }'), [url]),
    );
    one.send([
      message({ alertname: 'Hot', gpu: '1' }, { startsAt: NOW - 60_000, annotations: { summary: 'gpu 1' } }),
      message({ alertname: 'Hot', gpu: '2' }, { annotations: { summary: 'gpu 2' } }),
    ]);
    await vi.waitFor(() => expect(server.posts).toHaveLength(1));
    expect(server.posts.flat()).toEqual([
      expect.objectContaining({
        labels: { alertname: 'Hot' },
        annotations: { summary: 'gpu 2' },
        startsAt: new Date(NOW - 60_000).toISOString(),
      }),
    ]);
  });

  it('reaches every peer, though one is dead and one never answers', async () => {
    const [dead, slow, alive] = [await fakeAlertmanager(), await fakeAlertmanager(), await fakeAlertmanager()];
    await dead.server.close();
    slow.server.behave = () => 'hang';
    const { one } = notifier();
    one.use(withUrls(await readAlerting(''), [dead.url, slow.url, alive.url]));
    for (let round = 0; round < 5; round++) one.send([message({ alertname: 'Hot', round: String(round) })]);
    await vi.waitFor(() => expect(alive.alerts()).toHaveLength(5));
    expect(one.stats().peers.map(({ url, sent }) => [url, sent])).toEqual([
      [dead.url, 0],
      [slow.url, 0],
      [alive.url, 5],
    ]);
  });

  it('posts and asks under the path prefix, and under the path that target rules name', async () => {
    const { server, host } = await fakeAlertmanager();
    const { one, names } = notifier();
    one.use(
      await readAlerting(`
alerting:
  alertmanagers:
    - path_prefix: /one/
      static_configs: [{ targets: ['${host}'] }]
    - static_configs: [{ targets: ['ignored:1'] }]
      relabel_configs:
        - { target_label: __address__, replacement: '${host}' }
        - { target_label: __alerts_path__, replacement: /two/alerts }
`),
    );
    one.send([message({ alertname: 'Hot' })]);
    await vi.waitFor(() => expect(server.paths.sort()).toEqual(['POST /one/api/v2/alerts', 'POST /two/alerts']));
    expect(names()).toEqual([`http://${host}/one`, `http://${host}/two/alerts`]);
    expect(one.addresses().map(({ url }) => url)).toEqual(names());
  });
});

describe('Notifier: a new configuration', () => {
  it('gives a new peer all firing alerts at once, and lets the old one take what waits', async () => {
    const [first, second] = [await fakeAlertmanager(), await fakeAlertmanager()];
    const plain = await readAlerting('');
    const { one, names } = notifier();
    one.use(withUrls(plain, [first.url]));
    one.send([message({ alertname: 'Hot' }), message({ alertname: 'Over' }, { endsAt: NOW - 1 })]);
    one.use(withUrls(plain, [second.url]));
    await vi.waitFor(() => expect(second.alerts()).toEqual([{ alertname: 'Hot' }]));
    await vi.waitFor(() => expect(first.alerts()).toEqual([{ alertname: 'Hot' }, { alertname: 'Over' }]));
    expect(names()).toEqual([second.url]);
    one.send([message({ alertname: 'Next' })]);
    await vi.waitFor(() => expect(second.alerts()).toHaveLength(2));
    expect(first.alerts()).toHaveLength(2);
  });

  it('keeps the peers of a group that has not changed', async () => {
    const { server, url } = await fakeAlertmanager();
    const plain = await readAlerting('');
    const { one } = notifier();
    one.use(withUrls(plain, [url]));
    one.send([message({ alertname: 'Hot' })]);
    await vi.waitFor(() => expect(one.stats().peers[0]?.sent).toBe(1));
    one.use(withUrls(plain, [url]));
    expect(one.stats().peers[0]?.sent).toBe(1);
    expect(server.posts).toHaveLength(1);
  });
});

describe('Notifier: the end', () => {
  const hanging = async () => {
    const fake = await fakeAlertmanager();
    fake.server.behave = () => 'hang';
    return fake;
  };

  async function msToClose(one: Notifier): Promise<number> {
    const begun = performance.now();
    await one.close(100);
    return performance.now() - begun;
  }

  it('waits no longer than it was told to, for a group that has left and is still draining', async () => {
    const { server, url } = await hanging();
    const { one } = notifier();
    one.use(withUrls(await readAlerting(''), [url]));
    one.send([message({ alertname: 'Hot' })]);
    await vi.waitFor(() => expect(server.posts).toHaveLength(1));
    one.use(await readAlerting(''));
    expect(await msToClose(one)).toBeLessThan(2000);
  });

  it('nor for a peer that has left its group', async () => {
    const { server, host, url } = await hanging();
    const folder = temporaryDirectory();
    const file = join(folder, 'targets.json');
    writeFileSync(file, JSON.stringify([{ targets: [host] }]));
    const { one, names, wake } = notifier();
    one.use(await readAlerting('alerting: { alertmanagers: [{ file_sd_configs: [{ files: [t*.json] }] }] }', folder));
    one.send([message({ alertname: 'Hot' })]);
    await vi.waitFor(() => expect(names()).toEqual([url]));
    await vi.waitFor(() => expect(server.posts).toHaveLength(1));
    rmSync(file);
    await vi.waitFor(() => {
      wake();
      expect(names()).toEqual([]);
    });
    expect(await msToClose(one)).toBeLessThan(2000);
  });

  it('nor for a connection that never begins', async () => {
    const accepted: Socket[] = [];
    const silent = createServer((socket) => void accepted.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    endings.push(async () => {
      for (const socket of accepted) socket.destroy();
      await new Promise((resolve) => silent.close(resolve));
    });
    const { one } = notifier();
    one.use(withUrls(await readAlerting(''), [`https://127.0.0.1:${(silent.address() as AddressInfo).port}`]));
    one.send([message({ alertname: 'Hot' })]);
    await vi.waitFor(() => expect(accepted).toHaveLength(1));
    expect(await msToClose(one)).toBeLessThan(2000);
  });
});

describe('Notifier: Alertmanagers in files', () => {
  it('follows a file while it changes, keeps the last good list, and forgets a file that is gone', async () => {
    const [first, second] = [await fakeAlertmanager(), await fakeAlertmanager()];
    const folder = temporaryDirectory();
    const file = join(folder, 'targets.json');
    const list = (text: string) => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    const { one, names, wake, problems } = notifier();
    one.use(await readAlerting('alerting: { alertmanagers: [{ file_sd_configs: [{ files: [t*.json] }] }] }', folder));
    one.send([message({ alertname: 'Hot' })]);
    expect(names()).toEqual([]);

    list(JSON.stringify([{ targets: [first.host] }]));
    await vi.waitFor(() => {
      wake();
      expect(names()).toEqual([first.url]);
    });
    await vi.waitFor(() => expect(first.alerts()).toEqual([{ alertname: 'Hot' }]));

    list(JSON.stringify([{ targets: [first.host], labels: { zone: 'a' } }, { targets: [second.host] }]));
    await vi.waitFor(() => {
      wake();
      expect(names()).toEqual([first.url, second.url]);
    });
    await vi.waitFor(() => expect(second.alerts()).toEqual([{ alertname: 'Hot' }]));

    list(`[{ "targets": ["${second.host}"], "label": {} }]`);
    await vi.waitFor(() => {
      wake();
      expect(one.stats().discovery).toEqual([{ peers: 2, failures: expect.any(Number), problem: expect.any(String) }]);
    });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /^not all Alertmanagers can be found: .*targets\.json:1:\d+: error: unknown key "label"$/m,
    );
    expect(problems[0]).toMatch(/fix: write "labels"; those known before stay in use$/);

    list(JSON.stringify([{ targets: [second.host] }]));
    await vi.waitFor(() => {
      wake();
      expect(names()).toEqual([second.url]);
    });
    rmSync(file);
    await vi.waitFor(() => {
      wake();
      expect(one.stats().discovery).toEqual([{ peers: 0, failures: expect.any(Number), problem: undefined }]);
    });
  });
});

describe('Notifier: a target with a password', () => {
  it('is not used, and nowhere shown', async () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'targets.json'), JSON.stringify([{ targets: ['engine:a-password@am:9093'] }]));
    const { one, problems } = notifier();
    one.use(await readAlerting('alerting: { alertmanagers: [{ file_sd_configs: [{ files: [t*.json] }] }] }', folder));
    await vi.waitFor(() =>
      expect(one.stats()).toMatchObject({
        peers: [],
        discovery: [{ peers: 0, problem: 'a target holds a password, which belongs into "basic_auth"' }],
      }),
    );
    expect(problems.join()).not.toContain('a-password');
  });
});

describe('Notifier: Alertmanagers in DNS', () => {
  async function resolverAt(address: string): Promise<Resolver> {
    const resolver = new Resolver({ timeout: 100, tries: 1 });
    resolver.setServers([address]);
    return resolver;
  }

  it('follows A, AAAA and SRV records, and keeps the last good answer', async () => {
    const { host, url, alerts } = await fakeAlertmanager();
    const port = Number(host.split(':')[1]);
    const dns = await startDnsServer({
      A: { 'am.example.com': ['127.0.0.1'] },
      AAAA: { 'am.example.com': ['2001:db8::1'] },
      SRV: { '_http._tcp.am.example.com': [{ name: 'am-0.example.com', port: 9093 }] },
    });
    endings.push(dns.stop);
    const { one, names, wake, problems } = notifier(await resolverAt(dns.address));
    one.use(
      await readAlerting(`
alerting:
  alertmanagers:
    - dns_sd_configs:
        - { names: [am.example.com], type: A, port: ${port} }
        - { names: [am.example.com], type: AAAA, port: 9093 }
        - { names: [_http._tcp.am.example.com] }
`),
    );
    await vi.waitFor(() =>
      expect(names().sort()).toEqual([url, 'http://[2001:db8::1]:9093', 'http://am-0.example.com:9093'].sort()),
    );
    one.send([message({ alertname: 'Hot' })]);
    await vi.waitFor(() => expect(alerts()).toEqual([{ alertname: 'Hot' }]));
    const discoveryProblems = () => problems.filter((problem) => problem.startsWith('not all'));
    expect(discoveryProblems()).toEqual([]);

    dns.table = { A: { 'am.example.com': ['127.0.0.1'] }, AAAA: { 'am.example.com': [] } };
    await vi.waitFor(() => {
      wake();
      expect(names().sort()).toEqual([url, 'http://am-0.example.com:9093'].sort());
    });
    await vi.waitFor(() =>
      expect(discoveryProblems().at(-1)).toBe(
        'not all Alertmanagers can be found: no SRV records of _http._tcp.am.example.com: ENOTFOUND; ' +
          'those known before stay in use',
      ),
    );

    dns.isSilent = true;
    const failures = one.stats().discovery[0]?.failures ?? 0;
    await vi.waitFor(
      () => {
        wake();
        expect(one.stats().discovery[0]?.failures).toBeGreaterThan(failures + 3);
      },
      { timeout: 10_000 },
    );
    expect(names().sort()).toEqual([url, 'http://am-0.example.com:9093'].sort());
  });

  it('does not wait for names when it stops', async () => {
    const dns = await startDnsServer({});
    dns.isSilent = true;
    endings.push(dns.stop);
    const resolver = new Resolver({ timeout: 60_000, tries: 1 });
    resolver.setServers([dns.address]);
    const { one } = notifier(resolver);
    one.use(await readAlerting('alerting: { alertmanagers: [{ dns_sd_configs: [{ names: [a.example.com] }] }] }'));
    await vi.waitFor(() => expect(dns.asked).toEqual(['a.example.com']));
    const begun = performance.now();
    await one.close(100);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
