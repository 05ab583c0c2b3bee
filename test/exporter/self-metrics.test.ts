import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { renderText } from '../../exporter/metrics/exposition.ts';
import { openMetricsEnd, renderOpenMetrics } from '../../exporter/metrics/openmetrics.ts';
import { createSelfMetrics, type SelfReadings } from '../../exporter/metrics/self-metrics.ts';
import { programOf, requireTool } from '../servers/require-tool.ts';
import { parseOpenMetrics } from './openmetrics-parser.ts';

const build = { version: '1.2.3', nodejs: 'v26.0.0' };

const readings: SelfReadings = {
  source: 'nvml',
  isSourceUp: true,
  gpus: 2,
  collectSeconds: 0.002,
  sampleAgeSeconds: 0.5,
  failures: { error: 3, timeout: 0 },
  callErrors: [
    { call: 'nvmlDeviceGetFanSpeed_v2', code: 'unknown', count: 4 },
    { call: 'nvmlDeviceGetTemperature', code: 'gpu_is_lost', count: 1 },
  ],
  status: { childRestarts: { wedged: 1, crashed: 0 }, abandonedChildren: 0, xidWatch: 'watching' },
  isStateFileUp: true,
};

const families = (rest: Partial<SelfReadings> = {}, withProcess = false) =>
  createSelfMetrics(build, { withProcess }).families({ ...readings, ...rest });

describe('the exporter’s own metrics', () => {
  it('are this text', async () => {
    await expect(renderText(await families())).toMatchFileSnapshot('golden/self-nvml.prom');
  });

  it('are these in OpenMetrics', async () => {
    await expect(renderOpenMetrics(await families()) + openMetricsEnd).toMatchFileSnapshot(
      'golden/self-nvml.openmetrics',
    );
  });

  it.each([
    ['watching', [1]],
    ['down', [0]],
    ['unsupported', []],
  ] as const)('say of an XID watch that is %s: %j', async (xidWatch, values) => {
    const status = { childRestarts: {}, abandonedChildren: 0, xidWatch };
    const watch = (await families({ status })).find(({ name }) => name === 'gpu_exporter_xid_watch_up');
    expect(watch?.series.map(({ value }) => value)).toEqual(values);
  });

  it('leave out what a source, or a setting, does not have', async () => {
    const without = { status: undefined, isStateFileUp: undefined, callErrors: undefined, sampleAgeSeconds: undefined };
    const names = renderText(await families(without)).match(/(?<=^# TYPE )\w+/gm);
    expect(names).toEqual([
      'gpu_exporter_build_info',
      'gpu_exporter_collect_duration_seconds',
      'gpu_exporter_collect_failures_total',
      'gpu_exporter_gpus',
      'gpu_exporter_source_up',
    ]);
  });

  it('are whole in either format with those of the process, and promtool has no problem with any', async (context) => {
    const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
    const all = await families({}, true);
    const parsed = parseOpenMetrics(renderOpenMetrics(all) + openMetricsEnd);
    const types = Object.fromEntries(parsed.map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({
      gpu_exporter_nvml_call_errors: 'counter',
      process_cpu_seconds: 'counter',
      process_resident_memory_bytes: 'gauge',
      nodejs_version: 'info',
    });
    const input = renderText(all);
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input,
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
