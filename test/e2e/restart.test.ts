/** The same decisions from every engine, however it came to be where it is. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../servers/free-port.ts';
import { isAlive } from '../servers/process-alive.ts';
import type { RunningServer } from '../servers/server.ts';
import { startSwitchableProxy } from '../servers/switchable-proxy.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { type Answer, decide, startFleet, until } from './fleet.ts';

/** Both engines' answers about the same tick; they judge within a moment of each other, so a few tries suffice. */
async function sameTick(a: RunningServer, b: RunningServer): Promise<readonly [Answer, Answer]> {
  const both = () => Promise.all([decide(a, { gpu: '2' }), decide(b, { gpu: '2' })]);
  return until(both, ([one, other]) => expect(one.decision_id).toBe(other.decision_id));
}

/** Everything but the ages, which depend on when the question arrived. */
function substance({ data_age_seconds: _age, wait_time_seconds: _wait, ...rest }: Answer): unknown {
  return rest;
}

describe('an engine killed with kill -9', () => {
  it('answers as if it had not been, and as one that has never run before', { timeout: 180_000 }, async (context) => {
    const fleet = await startFleet(context);
    const dataDir = temporaryDirectory();
    const port = await freePort();
    const first = await fleet.startEngine({ dataDir, port });
    const steady = await fleet.startEngine();
    await until(
      () => decide(steady),
      ({ status }) => expect(status).toBe('healthy'),
    );
    await fleet.simulate(2, 'hot');
    await until(
      () => decide(first, { gpu: '2' }),
      (answer) => expect(answer.consecutive_failures).toBeGreaterThanOrEqual(2),
    );

    await first.kill();
    await until(
      () => decide(steady, { gpu: '2' }),
      (answer) => expect(answer.consecutive_failures).toBeGreaterThanOrEqual(3),
    );
    const again = await fleet.startEngine({ dataDir, port });
    const newcomer = await fleet.startEngine({ port: await freePort() });
    for (const engine of [again, newcomer]) {
      await until(
        () => decide(engine, { gpu: '2' }),
        ({ stale }) => expect(stale).toBe(false),
      );
      const [one, other] = await sameTick(engine, steady);
      expect(substance(one)).toEqual(substance(other));
      expect(one.consecutive_failures).toBeGreaterThanOrEqual(3);
    }
  });

  it('continues from the checkpoint of an orderly stop', { timeout: 120_000 }, async (context) => {
    const fleet = await startFleet(context);
    const dataDir = temporaryDirectory();
    const port = await freePort();
    const first = await fleet.startEngine({ dataDir, port });
    await until(
      () => decide(first),
      ({ status }) => expect(status).toBe('healthy'),
    );
    await first.stop();
    const again = await fleet.startEngine({ dataDir, port });
    await until(
      () => decide(again),
      ({ status, stale }) => expect([status, stale]).toEqual(['healthy', false]),
    );
    const metrics = await (await fetch(`${again.url}/metrics`)).text();
    const replayed = Number(/gpu_uptime_ticks_total\{mode="replay"\} (\d+)/.exec(metrics)?.[1]);
    expect(replayed).toBeLessThan(30);
  });
});

describe('an engine told to stop in the middle of a query', () => {
  it('ends at once, without complaint', { timeout: 60_000 }, async (context) => {
    const fleet = await startFleet(context);
    const proxy = await startSwitchableProxy(fleet.prometheus.url);
    onTestFinished(() => proxy.stop());
    proxy.behave('silence');
    const env = { PROMETHEUS_URL: proxy.url, PROMETHEUS_TIMEOUT_SECONDS: '60' };
    const engine = await fleet.startEngine({ env });
    const stoppedAt = Date.now();
    process.kill(engine.pid, 'SIGTERM');
    await until(
      async () => isAlive(engine.pid),
      (alive) => expect(alive).toBe(false),
    );
    expect(Date.now() - stoppedAt).toBeLessThan(5000);
    expect(engine.log()).not.toContain('gpu-uptime engine:');
  });
});
