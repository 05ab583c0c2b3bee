/** One GPU degrades and recovers, through real exporter, Prometheus, engine and Alertmanager. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../engine/alertmanager/receiver.ts';
import { startAlertmanager } from '../servers/alertmanager.ts';
import { requireTool } from '../servers/require-tool.ts';
import { type Answer, decide, gateStatus, startFleet, until } from './fleet.ts';

const LADDER = [10, 15, 22.5, 33.75, 50.625, 75.9375, 100];

describe('a GPU that runs hot', () => {
  it('costs its fleet an escalating delay up to the cap, raises an alert, and both end when it recovers', {
    timeout: 240_000,
  }, async (context) => {
    const alertmanagerTool = await requireTool(context, 'alertmanager');
    const lines: string[] = [];
    const receiver = await startReceiver({ host: '127.0.0.1', port: 0, onLine: (line) => lines.push(line) });
    onTestFinished(() => receiver.close());
    const config = `
route: { receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s }
receivers: [{ name: hook, webhook_configs: [{ url: 'http://127.0.0.1:${receiver.port}/notifications', send_resolved: true }] }]`;
    const alertmanager = await startAlertmanager({ tool: alertmanagerTool, config });
    onTestFinished(() => alertmanager.stop());
    const fleet = await startFleet(context);
    const engine = await fleet.startEngine({
      env: { ALERTMANAGER_URLS: alertmanager.url, RULE_FILES: 'rules/alerts/*.yml' },
    });

    await until(
      () => decide(engine),
      (answer) => expect(answer).toMatchObject({ status: 'healthy', can_process: true, multiplier: 0 }),
    );
    expect(await gateStatus(engine)).toBe(200);

    await fleet.simulate(3, 'hot');
    const climbed: Answer[] = [];
    await until(
      () => decide(engine),
      (answer) => {
        if (answer.consecutive_failures > (climbed.at(-1)?.consecutive_failures ?? 0)) climbed.push(answer);
        expect(answer.multiplier).toBe(100);
      },
      90_000,
    );
    expect(climbed.map(({ multiplier }) => multiplier)).toEqual(LADDER);
    expect(climbed.map(({ delay_seconds }) => delay_seconds)).toEqual(LADDER.map((multiplier) => multiplier * 0.2));
    expect(climbed.every(({ can_process }) => !can_process)).toBe(true);
    expect(await gateStatus(engine)).toBe(429);
    const worst = await decide(engine);
    expect(worst).toMatchObject({
      status: 'unhealthy',
      reason: expect.stringMatching(/^Low uptime detected: short-term: 87\.5% < 99%/),
    });
    expect(worst.causes).toEqual([
      expect.objectContaining({
        labels: { gpu: '3', modelName: 'NVIDIA A100-SXM4-80GB' },
        reason: expect.stringMatching(/^temperature 9\d(\.\d+)? °C > 85 °C$/),
      }),
    ]);

    const held = await until(
      async () => (await fetch(`${alertmanager.url}/api/v2/alerts`)).json(),
      (alerts) => {
        expect(alerts).toContainEqual(
          expect.objectContaining({
            labels: expect.objectContaining({
              alertname: 'GpuThermalCritical',
              gpu: '3',
              severity: 'critical',
              action: 'throttle',
            }),
          }),
        );
      },
      60_000,
    );
    expect(held).not.toContainEqual(
      expect.objectContaining({ labels: expect.objectContaining({ alertname: 'GpuThermalCritical', gpu: '4' }) }),
    );
    await until(
      async () => lines,
      (seen) =>
        expect(seen).toContainEqual(
          expect.stringMatching(/^FIRING critical GpuThermalCritical gpu 3 on .+ °C > 85 °C/),
        ),
    );

    await fleet.recover();
    const recovering = await until(
      () => decide(engine),
      ({ causes }) => expect(causes).toEqual([]),
    );
    const cleared = await until(
      () => decide(engine),
      (answer) =>
        expect(answer).toMatchObject({ can_process: true, multiplier: 0, consecutive_failures: 0, status: 'healthy' }),
      60_000,
    );
    expect(Math.abs(cleared.evaluated_at - (recovering.clears_at_if_healthy ?? 0))).toBeLessThanOrEqual(1);
    expect(await gateStatus(engine)).toBe(200);
    await until(
      async () => lines,
      (seen) => expect(seen).toContainEqual(expect.stringMatching(/^RESOLVED critical GpuThermalCritical gpu 3 on /)),
      60_000,
    );
  });

  it('delays its own node and itself, not a GPU beside it', { timeout: 120_000 }, async (context) => {
    const fleet = await startFleet(context);
    const engine = await fleet.startEngine();
    await until(
      () => decide(engine),
      ({ status }) => expect(status).toBe('healthy'),
    );
    await fleet.simulate(5, 'lost');
    await until(
      () => decide(engine, { gpu: '5' }),
      ({ can_process, causes }) => {
        expect(can_process).toBe(false);
        expect(causes.map(({ reason }) => reason)).toEqual(['no fresh sample']);
      },
    );
    const node = `127.0.0.1:${fleet.exporter.port}`;
    expect(await decide(engine, { node })).toMatchObject({ can_process: false });
    expect(await decide(engine, { gpu: '4' })).toMatchObject({ can_process: true, status: 'healthy' });
  });
});
