/** Prometheus dies and comes back: nobody pays for it, and answers say how old they are. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RunningServer } from '../servers/server.ts';
import { startSwitchableProxy } from '../servers/switchable-proxy.ts';
import { decide, gateStatus, startFleet, until } from './fleet.ts';

describe('an observer outage', () => {
  it('makes answers stale, then on_stale rules, and the gap is unobserved instead of down', {
    timeout: 180_000,
  }, async (context) => {
    const fleet = await startFleet(context);
    const engine = await fleet.startEngine();
    await until(
      () => decide(engine),
      ({ status }) => expect(status).toBe('healthy'),
    );

    const restart = await fleet.killPrometheus();
    await until(
      () => decide(engine),
      (answer) => expect(answer).toMatchObject({ stale: true, can_process: true, basis: 'clear' }),
    );
    await until(
      () => decide(engine),
      (answer) => expect(answer).toMatchObject({ stale: true, can_process: false, basis: 'stale' }),
    );
    expect(await gateStatus(engine)).toBe(429);

    await restart();
    const back = await until(
      () => decide(engine),
      (answer) => expect(answer).toMatchObject({ stale: false, can_process: true, basis: 'clear' }),
    );
    const long = back.windows.find(({ name }) => name === 'long');
    expect(long).toMatchObject({ uptime_percentage: 100, down: 0 });
    expect(long?.unobserved).toBeGreaterThanOrEqual(8 * 3);
    const metrics = await (await fetch(`${engine.url}/metrics`)).text();
    expect(
      Number(/gpu_uptime_round_failures_total\{reason="unreachable"\} (\d+)/.exec(metrics)?.[1]),
    ).toBeGreaterThanOrEqual(1);
  });

  it('an engine that starts before Prometheus is not ready, answers by on_stale, and becomes ready by itself', {
    timeout: 120_000,
  }, async (context) => {
    const fleet = await startFleet(context);
    const restart = await fleet.killPrometheus();
    const engine = await fleet.startEngine();
    const ready = async () => (await fetch(`${engine.url}/-/ready`)).status;
    await until(
      () => decide(engine),
      (answer) =>
        expect(answer).toMatchObject({
          basis: 'stale',
          can_process: false,
          reason: 'No tick has been judged yet (limit 6 s); on_stale: deny',
        }),
    );
    expect(await ready()).toBe(503);
    await restart();
    await until(ready, (status) => expect(status).toBe(200));
    await until(
      () => decide(engine),
      ({ status }) => expect(status).toBe('healthy'),
    );
  });
});

describe('a Prometheus that answers nonsense', () => {
  const BEHAVIOURS = ['refuse', 'web_page', 'half_json', 'silence', 'hang_up'] as const;

  it(`leaves the last judged answer standing, marked stale: ${BEHAVIOURS.join(', ')}`, {
    timeout: 180_000,
  }, async (context) => {
    const fleet = await startFleet(context);
    const proxy = await startSwitchableProxy(fleet.prometheus.url);
    onTestFinished(() => proxy.stop());
    const engine = await fleet.startEngine({ env: { PROMETHEUS_URL: proxy.url } });
    const ask = () => decide(engine);
    for (const behaviour of BEHAVIOURS) {
      await until(ask, ({ status, stale }) =>
        expect([behaviour, status, stale]).toEqual([behaviour, 'healthy', false]),
      );
      proxy.behave(behaviour);
      const stale = await until(ask, (answer) => expect([behaviour, answer.stale]).toEqual([behaviour, true]));
      expect(stale).toMatchObject({ can_process: true, basis: 'clear', status: 'healthy' });
      await until(
        () => lastFailure(engine),
        (failure) => expect(failure).toContain(proxy.url),
      );
      proxy.behave('pass');
    }
    await until(ask, (answer) => expect(answer.stale).toBe(false));
    expect(await lastFailure(engine)).toBeNull();
  });
});

async function lastFailure({ url }: RunningServer): Promise<string | null> {
  const summary = (await (await fetch(`${url}/gpu/monitoring/summary`)).json()) as {
    engine: { last_failure: string | null };
  };
  return summary.engine.last_failure;
}
