/** `gpu-uptime simulate degradation` through real exporter, Prometheus and engine, ten times as fast as on the wall. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { simulate } from '../../../engine/cli/simulate.ts';
import { decide, until } from '../../e2e/fleet.ts';
import { startEngine } from '../../servers/engine.ts';
import { startExporter } from '../../servers/exporter.ts';
import { freePort } from '../../servers/free-port.ts';
import { scrapeConfig, startPrometheus } from '../../servers/prometheus.ts';
import { requireTool } from '../../servers/require-tool.ts';
import type { RunningServer } from '../../servers/server.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

// The scenario's nine minutes are 54 s. Delays of 2 s, 3 s, 4.5 s … stand for 300 s, 450 s, 675 s.
const speed = 10;
const policy = `
interval: 1s
settle: 1s
backfill: 2m
presence: { fresh: 3s }
windows:
  short: { range: 10s, threshold: 99 }
  medium: { range: 15s, threshold: 99 }
  long: { range: 20s, threshold: 99 }
delay: { base_duration: 200ms }
capabilities: { text-to-image: {} }
`;

const kept = async (starting: Promise<RunningServer>) => {
  const server = await starting;
  onTestFinished(() => server.stop());
  return server;
};

it('is delayed, again and longer while it lasts, and free again when the GPU has recovered', {
  timeout: 180_000,
}, async (context) => {
  const tool = await requireTool(context, 'prometheus');
  const policyFile = join(temporaryDirectory(), 'policy.yml');
  writeFileSync(policyFile, policy);
  const exporter = await kept(
    startExporter({ env: { GPU_SOURCE: 'mock', MOCK_SPEED: String(speed), EXPORTER_COLLECT_INTERVAL_MS: '250' } }),
  );
  const port = await freePort();
  const config = scrapeConfig({ prometheus: `127.0.0.1:${port}`, gpu: `127.0.0.1:${exporter.port}` });
  const prometheus = await kept(startPrometheus({ tool, port, config }));
  const env = { PROMETHEUS_URL: prometheus.url, ALERTMANAGER_URLS: '', RULE_FILES: '', POLICY_FILE: policyFile };
  const engine = await kept(startEngine({ dataDir: temporaryDirectory(), port: await freePort(), env }));
  await until(
    () => decide(engine),
    ({ status }) => expect(status).toBe('healthy'),
    60_000,
  );

  const out: string[] = [];
  const io = {
    out: (line: string) => out.push(line),
    err: (line: string) => out.push(line),
    env: { EXPORTER_URL: exporter.url },
    cwd: '/',
  };
  expect([await simulate.run(['degradation', '--gpu', '3'], io), out.join()]).toEqual([
    0,
    expect.stringMatching(
      /^Scenario degradation has started for GPU 3: .+ 9 min of simulated time, 54 s on this clock; /s,
    ),
  ]);
  const failures: number[] = [];
  const reasons = new Set<string>();
  await until(
    () => decide(engine),
    ({ consecutive_failures: count, can_process, causes }) => {
      if (count > (failures.at(-1) ?? 0)) failures.push(count);
      for (const { reason } of causes) reasons.add(reason.replace(/\d+/g, 'N'));
      expect([failures.length >= 3, can_process, count]).toEqual([true, true, 0]);
    },
    120_000,
  );
  expect(failures.slice(0, 3)).toEqual([1, 2, 3]);
  expect([...reasons]).toEqual(expect.arrayContaining(['temperature N °C > N °C', 'no fresh sample']));
  const left = await fetch(`${exporter.url}/api/v1/simulate`);
  expect(await left.json()).toMatchObject({ active: [], scenarios: [] });
  expect(await decide(engine)).toMatchObject({ status: 'healthy', multiplier: 0, causes: [] });
});
