/** Prometheus and the engine are killed in the middle of firing alerts: nobody is told anything, and nothing is lost. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../../e2e/fleet.ts';
import type { RunningServer } from '../../servers/server.ts';
import {
  alertsOf,
  engineStarter,
  healthOf,
  heldBy,
  openAlertmanager,
  prometheusStarter,
  RESEND_SECONDS,
  startPager,
} from './fault-rig.ts';

const RULES = `
groups:
  - name: faults
    interval: 1s
    rules:
      - alert: Now
        expr: up == 1
        annotations: { text: '{{ $labels.job }} at {{ $value }}' }
      - { alert: Ripe, expr: up == 1, for: 3s }
      - { alert: Young, expr: up == 1, for: 1h }
      - { alert: Kept, expr: 'timestamp(up) - process_start_time_seconds < 15', keep_firing_for: 1h }
`;

/** Longer than an alert is believed that nobody sends again. */
const OUTAGE_MS = (4 * RESEND_SECONDS + 2) * 1000;

describe('a kill in the middle of firing alerts', () => {
  it('of Prometheus, of the engine, or of both changes no alert, and pages nobody', {
    timeout: 180_000,
  }, async (context) => {
    const pager = await startPager();
    const startProm = await prometheusStarter(context);
    let prometheus = await startProm();
    const alertmanager = await openAlertmanager(context, pager);
    const alertmanagers = [alertmanager.url];
    const start = await engineStarter({ prometheus: prometheus.url, alertmanagers, rules: RULES });
    let engine = await start();
    const states = async (of: RunningServer) =>
      (await alertsOf(of)).map(({ labels, state }) => `${labels.alertname} ${state}`);
    await until(
      () => states(engine),
      (shown) => expect(shown).toEqual(['Kept firing', 'Now firing', 'Ripe firing', 'Young pending']),
    );
    await until(
      async () => pager.pages(),
      (pages) => expect(pages).toHaveLength(3),
    );
    const [before, held, pages] = [await alertsOf(engine), await heldBy(alertmanager), pager.pages()];
    expect(held).toHaveLength(3);
    const expectUnchanged = async () => {
      expect(await alertsOf(engine)).toEqual(before);
      expect(await heldBy(alertmanager)).toEqual(held);
      expect(pager.pages()).toEqual(pages);
    };
    const untilHealth = (health: string) =>
      until(
        () => healthOf(engine),
        (all) => expect(all).toEqual([health]),
      );

    await prometheus.kill();
    await untilHealth('err');
    await delay(OUTAGE_MS);
    await expectUnchanged();
    prometheus = await startProm();
    await untilHealth('ok');
    await expectUnchanged();

    await engine.kill();
    engine = await start();
    await untilHealth('ok');
    await expectUnchanged();

    await Promise.all([prometheus.kill(), engine.kill()]);
    engine = await start();
    await untilHealth('err');
    await expectUnchanged();
    await startProm();
    await untilHealth('ok');
    // Two more sends: what fired anew would have been paged by now.
    await delay(2 * (RESEND_SECONDS + 1) * 1000);
    await expectUnchanged();
  });
});
