/** The real exporter over a C library with NVML's ABI, scraped by a real Prometheus, while cards hang, die and complain. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { driver, plainCard, uuidOf } from '../exporter/nvml/cards.ts';
import { buildFakeNvml } from '../exporter/nvml/fake-nvml.ts';
import { startExporter } from '../servers/exporter.ts';
import { startPrometheus } from '../servers/prometheus.ts';
import { requireTool } from '../servers/require-tool.ts';
import type { RunningServer } from '../servers/server.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

vi.setConfig({ testTimeout: 120_000 });

const GPUS = 8;
const XID_EVENT = 8;
const patience = { timeout: 40_000, interval: 250 };

/** A machine with eight cards, and whatever `lines` say beside that. */
async function machine(context: TestContext, env: NodeJS.ProcessEnv = {}) {
  const fake = await buildFakeNvml(context);
  const say = (...lines: readonly string[]) => {
    const cards = Array.from({ length: GPUS }, (_, index) => plainCard(index, { events: XID_EVENT })).flat();
    fake.write([...driver(GPUS), ...cards, ...lines]);
  };
  say();
  const directory = temporaryDirectory();
  const settings = {
    GPU_SOURCE: 'nvml',
    NVML_LIBRARY: fake.path,
    EXPORTER_STATE_FILE: join(directory, 'gpus.json'),
    EXPORTER_COLLECT_INTERVAL_MS: '200',
    EXPORTER_READ_TIMEOUT_MS: '1000',
    AGENT_MODE: 'true',
    AGENT_ID: 'agent-1',
    AGENT_GPU_CHECK_INTERVAL_SECONDS: '0.2',
    AGENT_CHECKPOINT_FILE: join(directory, 'agent.jsonl'),
    ...env,
  };
  const start = async (more: NodeJS.ProcessEnv = {}) => {
    const exporter = await startExporter({ env: { ...settings, ...more } });
    onTestFinished(() => exporter.stop());
    return exporter;
  };
  return { say, start };
}

async function page({ url }: RunningServer, query = ''): Promise<string> {
  const response = await fetch(`${url}/metrics${query}`, { signal: AbortSignal.timeout(5000) });
  return response.text();
}

async function json({ url }: RunningServer, path: string) {
  const response = await fetch(url + path, { signal: AbortSignal.timeout(5000) });
  return (await response.json()) as Record<string, unknown>;
}

const temperatures = async (exporter: RunningServer) =>
  (await page(exporter)).match(/^DCGM_FI_DEV_GPU_TEMP\{gpu="(\d)"/gm)?.map((line) => line.slice(-2, -1)) ?? [];

const upGpus = async (exporter: RunningServer) =>
  [...(await page(exporter, '?profile=native')).matchAll(/^gpu_up\{uuid="[^"]+"\} ([01])$/gm)].map(([, up]) => up);

it('a card that hangs costs no scrape and no other card, and comes back', async (context) => {
  const { say, start } = await machine(context);
  const exporter = await start();
  await expect.poll(() => temperatures(exporter), patience).toHaveLength(GPUS);
  say('hang nvmlDeviceGetPowerUsage 3');
  await expect.poll(() => temperatures(exporter), patience).toEqual(['0', '1', '2', '4', '5', '6', '7']);
  const native = await page(exporter, '?profile=native');
  expect(native).toContain(`gpu_up{uuid="${uuidOf(3)}"} 0\n`);
  expect(native).toMatch(new RegExp(`gpu_unavailable_seconds_total\\{reason="wedged",uuid="${uuidOf(3)}"\\} `));
  expect(native).toContain('gpu_exporter_source_child_restarts_total{reason="wedged"} 1\n');
  const scrapes = await Promise.all(Array.from({ length: 50 }, () => page(exporter)));
  expect(scrapes.every((text) => text.includes('DCGM_FI_DEV_GPU_TEMP{gpu="0"'))).toBe(true);
  say();
  await expect.poll(() => temperatures(exporter), patience).toHaveLength(GPUS);
});

/** The default settings: those that decide how long a card may hang are not set. */
const asDelivered = { EXPORTER_COLLECT_INTERVAL_MS: undefined, EXPORTER_READ_TIMEOUT_MS: undefined };

interface Sample {
  /** Of each card in the order of the page: its temperature is there. */
  readonly read: string;
  /** Of each card: its gpu_up. */
  readonly up: string;
  readonly isSourceUp: boolean;
  readonly replaced: number;
}

/** What one page says. */
async function sampleOf(exporter: RunningServer): Promise<Sample> {
  const text = await page(exporter, '?profile=dcgm,native');
  const all = (line: RegExp) => [...text.matchAll(line)].map(([, value]) => value).join('');
  return {
    read: all(/^DCGM_FI_DEV_GPU_TEMP\{gpu="(\d)"/gm),
    up: all(/^gpu_up\{uuid="[^"]+"\} ([01])$/gm),
    isSourceUp: text.includes('gpu_exporter_source_up{source="nvml"} 1\n'),
    replaced: Number(all(/^gpu_exporter_source_child_restarts_total\{reason="wedged"\} (\d+)$/gm)),
  };
}

/** The pages that are shown, one every 250 ms, until `isOver`. */
async function sampleUntil(exporter: RunningServer, isOver: (sample: Sample) => boolean): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const giveUpAtMs = Date.now() + patience.timeout;
  for (;;) {
    const sample = await sampleOf(exporter);
    samples.push(sample);
    if (isOver(sample)) return samples;
    if (Date.now() > giveUpAtMs) throw new Error(`not over after ${JSON.stringify(sample)}`);
    await delay(patience.interval);
  }
}

it('three cards that hang at once cost no other card a single scrape', async (context) => {
  const { say, start } = await machine(context, asDelivered);
  const exporter = await start();
  await expect.poll(() => temperatures(exporter), patience).toHaveLength(GPUS);
  say(...[1, 4, 6].map((card) => `hang nvmlDeviceGetPowerUsage ${card}`));
  // The first three are the cards, the next two the attempts to read one of them again.
  const samples = await sampleUntil(exporter, ({ replaced }) => replaced >= 5);
  const pages = new Set(samples.map(({ read, up, isSourceUp }) => `${read} ${up} ${isSourceUp}`));
  // Until the round is over nobody knows more than before it.
  expect([...pages]).toEqual(['01234567 11111111 true', '02357 10110101 true']);
  expect(samples.length).toBeGreaterThan(20);
});

it('a driver that hangs as a whole shows no reading as if it were new', async (context) => {
  const { say, start } = await machine(context, asDelivered);
  const exporter = await start();
  await expect.poll(() => temperatures(exporter), patience).toHaveLength(GPUS);
  say('expire 1 1000', 'hang nvmlInit_v2 driver');
  const beganMs = Date.now();
  const samples = await sampleUntil(exporter, ({ read }) => read === '');
  expect(Date.now() - beganMs).toBeLessThan(18_000);
  expect(samples.at(-1)).toMatchObject({ read: '', up: '', isSourceUp: false });
});

it('a card that dies keeps its native series over a restart, and names its XID to everybody', async (context) => {
  const tool = await requireTool(context, 'prometheus');
  const { say, start } = await machine(context);
  const first = await start();
  await expect.poll(() => temperatures(first), patience).toHaveLength(GPUS);
  await expect.poll(() => page(first, '?profile=native'), patience).toContain('gpu_exporter_xid_watch_up 1\n');
  say(`event 1 2 ${XID_EVENT} 79`);
  await expect.poll(() => page(first), patience).toContain('err_code="79",err_msg="GPU has fallen off the bus"} 79\n');
  say('fail * 2 15');
  await expect.poll(() => upGpus(first), patience).toEqual(['1', '1', '0', '1', '1', '1', '1', '1']);
  const lostFor = new RegExp(`gpu_unavailable_seconds_total\\{reason="gpu_is_lost",uuid="${uuidOf(2)}"\\} [1-9]`);
  await expect.poll(() => page(first, '?profile=native'), patience).toMatch(lostFor);
  await first.stop();

  const second = await start();
  await expect.poll(() => upGpus(second), patience).toEqual(['1', '1', '0', '1', '1', '1', '1', '1']);
  const native = await page(second, '?profile=native');
  expect(native).toContain(`gpu_xid_errors_total{uuid="${uuidOf(2)}",xid="79"} 1\n`);
  const job = { job_name: 'gpu', params: { profile: ['dcgm,native'] } };
  const scrape_configs = [{ ...job, static_configs: [{ targets: [new URL(second.url).host] }] }];
  const global = { scrape_interval: '500ms', scrape_timeout: '500ms' };
  const prometheus = await startPrometheus({ tool, config: JSON.stringify({ global, scrape_configs }) });
  onTestFinished(() => prometheus.stop());
  const value = async (query: string) => {
    const { data } = (await json(prometheus, `/api/v1/query?query=${encodeURIComponent(query)}`)) as {
      data: { result: { value: [number, string] }[] };
    };
    return data.result.map(({ value: [, text] }) => text);
  };
  await expect.poll(() => value('count(gpu_up == 0)'), patience).toEqual(['1']);
  expect(await value('sum(up)')).toEqual(['1']);
  expect(await value('count(DCGM_FI_DEV_GPU_TEMP)')).toEqual(['7']);
  // The counter begins anew with the process and goes on for one reason, whichever the driver still gives; the life is kept.
  const lost = `gpu_unavailable_seconds_total{uuid="${uuidOf(2)}",reason=~"gpu_is_lost|missing"} > 0`;
  await expect.poll(() => value(`count(${lost})`), patience).toEqual(['1']);
  const { gpus } = (await json(second, '/api/v1/gpus')) as { gpus: readonly { unavailable_seconds: object }[] };
  expect(gpus[2]).toMatchObject({ uuid: uuidOf(2), unavailable_seconds: { gpu_is_lost: expect.any(Number) } });
  expect(gpus[2]?.unavailable_seconds).not.toMatchObject({ gpu_is_lost: 0 });
});

it('no library at the start is a state of its own, that ends when the driver comes', async (context) => {
  const { say, start } = await machine(context);
  say('fail nvmlInit_v2 * 9');
  const exporter = await start();
  expect(await page(exporter)).toContain('gpu_exporter_source_up{source="nvml"} 0\n');
  const ready = await fetch(`${exporter.url}/-/ready`);
  expect([ready.status, await ready.text()]).toEqual([200, expect.stringContaining('has not read a GPU yet')]);
  expect((await fetch(`${exporter.url}/health`)).status).toBe(503);
  say();
  await expect.poll(() => temperatures(exporter), patience).toHaveLength(GPUS);
});

it('the agent and GPUd’s clients hear of the same loss, and nothing twice', async (context) => {
  const { say, start } = await machine(context);
  const exporter = await start();
  await expect.poll(() => json(exporter, '/agent/gpu-status'), patience).toMatchObject({ gpu_count: GPUS });
  const first = await json(exporter, '/agent/uptime-since-last-ping');
  say('fail * 5 15');
  await expect.poll(() => json(exporter, '/agent/gpu-status'), patience).toMatchObject({ gpu_available: false });
  say();
  await expect.poll(() => json(exporter, '/agent/gpu-status'), patience).toMatchObject({ gpu_available: true });
  const cursor = `?since=${first.seq}&boot_id=${first.boot_id}`;
  const second = await json(exporter, `/agent/uptime-since-last-ping${cursor}`);
  expect(second).toMatchObject({ continuity: 'complete', since: first.seq, gpu_available: true });
  expect(second.downtimes).toHaveLength(1);
  expect(second.uptime_percentage).toBeLessThan(100);
  // A lost reply is asked for again, and tells of the same loss.
  const again = await json(exporter, `/agent/uptime-since-last-ping${cursor}`);
  expect(again.downtimes).toEqual(second.downtimes);
  const third = await json(exporter, `/agent/uptime-since-last-ping?since=${second.seq}&boot_id=${second.boot_id}`);
  expect(third.downtimes).toEqual([]);
  const events = JSON.stringify(await json(exporter, '/v1/events'));
  expect([events.split('"gpu_lost"').length, events.split('"gpu_returned"').length]).toEqual([2, 2]);
});

it('what was recorded from the driver is published again by a replay', async (context) => {
  const directory = temporaryDirectory();
  const recording = join(directory, 'answers.jsonl');
  const { start } = await machine(context);
  const recorded = await start({ NVML_RECORD_FILE: recording });
  await expect.poll(() => temperatures(recorded), patience).toHaveLength(GPUS);
  const lines = async (exporter: RunningServer) =>
    (await page(exporter)).split('\n').filter((line) => line.startsWith('DCGM_FI_DEV_GPU_TEMP{'));
  const published = await lines(recorded);
  await recorded.stop();
  const replayed = await start({ GPU_SOURCE: 'replay', NVML_REPLAY_FILE: recording });
  await expect.poll(() => lines(replayed), patience).toEqual(published);
  await replayed.stop();
  writeFileSync(recording, 'nonsense\n');
  await expect(start({ GPU_SOURCE: 'replay', NVML_REPLAY_FILE: recording })).rejects.toThrow(
    `NVML_REPLAY_FILE: ${recording}:1: this is not a recording of NVML`,
  );
});
