/** From an injected memory error to the gate: exporter, Prometheus, rules, Alertmanager and engine, all real. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { startAlertmanager } from '../servers/alertmanager.ts';
import { freePort } from '../servers/free-port.ts';
import { requireTool } from '../servers/require-tool.ts';
import { ROOT, type RunningServer } from '../servers/server.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { type Fleet, startFleet, until } from './fleet.ts';

const GPU = 2;
const WINDOWS = [5, 10, 15] as const;
const MAX_SECONDS = 60;

/** The shipped rules about GPUs, evaluated every second like everything in this fleet. */
function quickRules(directory: string): string {
  const file = join(directory, 'gpu.yml');
  const shipped = readFileSync(join(ROOT, 'rules/alerts/gpu.yml'), 'utf8');
  writeFileSync(file, shipped.replaceAll('interval: 5s', 'interval: 1s'));
  return file;
}

/** A GPU with an uncorrectable memory error for as long as nobody resets it. */
function timeline(directory: string): string {
  const file = join(directory, 'timeline.yml');
  const events = [{ at: '0s', fault: 'ecc' }];
  writeFileSync(
    file,
    JSON.stringify({ scenarios: { 'broken-memory': { what: 'a GPU fails to correct an error', events } } }),
  );
  return file;
}

async function startAlerting(context: TestContext): Promise<RunningServer> {
  const tool = await requireTool(context, 'alertmanager');
  const alertmanager = await startAlertmanager({
    tool,
    config: '{ route: { receiver: none }, receivers: [{ name: none }] }',
  });
  onTestFinished(() => alertmanager.stop());
  return alertmanager;
}

async function gate(engine: RunningServer, gpu: number, flavour = 'forward') {
  const { status, headers } = await fetch(`${engine.url}/api/v1/gate/${flavour}/text-to-image?gpu=${gpu}`);
  return { status, action: headers.get('x-gpu-action'), retryAfter: headers.get('retry-after') };
}

async function actionsOf({ url }: RunningServer): Promise<{ readonly actions: readonly unknown[] }> {
  return (await json(`${url}/api/v1/actions`)) as { readonly actions: readonly unknown[] };
}

async function json(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

/** Starts the timeline's scenario and returns the seconds until the gate denies. */
async function breakMemory(fleet: Fleet, engine: RunningServer): Promise<number> {
  const response = await fetch(`${fleet.exporter.url}/api/v1/simulate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scenario: 'broken-memory', gpu: GPU }),
  });
  expect(response.status).toBe(200);
  const causeMs = Date.now();
  await until(
    () => gate(engine, GPU),
    ({ status }) => expect(status).toBe(429),
    MAX_SECONDS * 1000,
  );
  return (Date.now() - causeMs) / 1000;
}

async function untilHealthy(engine: RunningServer): Promise<void> {
  await until(
    async () => [await gate(engine, GPU), (await fetch(`${engine.url}/-/ready`)).status],
    (answers) => expect(answers).toEqual([{ status: 200, action: null, retryAfter: null }, 200]),
  );
}

/** What a scheduler and a gateway hear while the alert fires. */
async function expectQuarantine(engine: RunningServer): Promise<void> {
  expect(await gate(engine, GPU)).toEqual({
    status: 429,
    action: 'quarantine',
    retryAfter: expect.stringMatching(/^\d+$/),
  });
  expect(await gate(engine, GPU, 'nginx')).toMatchObject({ status: 403, action: 'quarantine' });
  expect(await json(`${engine.url}/api/v1/actions`)).toMatchObject({
    count: 1,
    actions: [
      {
        gpu: expect.stringMatching(/^GPU-/),
        action: 'quarantine',
        place: false,
        move_work_off: true,
        alerts: [{ alert: 'GpuEccUncorrectable', severity: 'critical', ignored: null }],
      },
    ],
    ignored: [],
  });
  const response = await fetch(`${engine.url}/api/v1/decisions/delay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ gpu: String(GPU) }),
  });
  expect(await response.json()).toMatchObject({
    can_process: false,
    basis: 'quarantined',
    reason: expect.stringMatching(
      /^Quarantined: GpuEccUncorrectable fires on GPU-\S+ since \d{4}-\d\d-\d\dT[\d:]{8}Z$/,
    ),
  });
}

async function untilReleased(fleet: Fleet, engine: RunningServer): Promise<void> {
  await fleet.recover();
  await until(
    async () => [await gate(engine, GPU), await json(`${engine.url}/api/v1/actions`)],
    (answers) =>
      expect(answers).toMatchObject([
        { status: 200, action: null },
        { count: 0, actions: [], ignored: [] },
      ]),
    60_000,
  );
}

function print(what: string, seconds: number): void {
  process.stdout.write(`${what}: ${seconds.toFixed(1)} s from cause to decision\n`);
  expect(seconds).toBeLessThan(MAX_SECONDS);
}

it('an uncorrectable memory error quarantines its GPU by the engine’s own rules, and the end of it releases it', {
  timeout: 180_000,
}, async (context) => {
  const directory = temporaryDirectory();
  const alertmanager = await startAlerting(context);
  const fleet = await startFleet(context, WINDOWS, { exporter: { MOCK_TIMELINE: timeline(directory) } });
  const engine = await fleet.startEngine({
    env: { ALERTMANAGER_URLS: alertmanager.url, RULE_FILES: quickRules(directory) },
  });
  await untilHealthy(engine);
  print('the engine evaluates the rules', await breakMemory(fleet, engine));
  await expectQuarantine(engine);
  expect(await gate(engine, 3)).toEqual({ status: 200, action: null, retryAfter: null });
  const uuid = /GPU-[^"]+/.exec(JSON.stringify(await json(`${engine.url}/api/v1/actions`)))?.[0];
  const page = await (await fetch(`${engine.url}/metrics`)).text();
  expect(page).toContain(
    `gpu_uptime_gpu_state{uuid="${uuid}",gpu="${GPU}",node="127.0.0.1:${fleet.exporter.port}",state="quarantined"} 1\n`,
  );
  await until(
    () => json(`${alertmanager.url}/api/v2/alerts`),
    (alerts) =>
      expect(alerts).toContainEqual(
        expect.objectContaining({
          labels: expect.objectContaining({ alertname: 'GpuEccUncorrectable', action: 'quarantine', UUID: uuid }),
        }),
      ),
  );
  await untilReleased(fleet, engine);
});

it('rules that an unmodified Prometheus evaluates do the same for every engine, count as down, and outlive a restart', {
  timeout: 180_000,
}, async (context) => {
  const directory = temporaryDirectory();
  const fleet = await startFleet(context, WINDOWS, {
    exporter: { MOCK_TIMELINE: timeline(directory) },
    ruleFile: quickRules(directory),
  });
  const dataDir = temporaryDirectory();
  const first = await fleet.startEngine({ dataDir });
  await untilHealthy(first);
  print('Prometheus evaluates the rules', await breakMemory(fleet, first));
  await expectQuarantine(first);
  const summary = await until(
    () => json(`${first.url}/gpu/monitoring/summary`),
    (answer) => expect(answer).toMatchObject({ unhealthy_gpus: [{ labels: { gpu: String(GPU) } }] }),
  );
  expect(summary).toMatchObject({
    unhealthy_gpus: [{ state: 'down', reason: expect.stringMatching(/^quarantined by GpuEccUncorrectable since /) }],
  });
  const other = await fleet.startEngine({ port: await freePort() });
  const seenBy = (engine: RunningServer) => actionsOf(engine).then(({ actions }) => actions);
  await until(
    () => seenBy(other),
    (actions) => expect(actions).toHaveLength(1),
  );
  expect(await seenBy(other)).toEqual(await seenBy(first));
  await first.stop();
  const again = await fleet.startEngine({ dataDir });
  await until(
    () => gate(again, GPU),
    ({ action }) => expect(action).toBe('quarantine'),
  );
  await untilReleased(fleet, again);
});
