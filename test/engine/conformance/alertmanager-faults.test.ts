/** Alertmanagers that are not there, slow, killed and back: whoever is pages every alert once, and its end once. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { createRemoteWriter } from '../../../engine/prometheus/remote-write.ts';
import { until } from '../../e2e/fleet.ts';
import { freePort } from '../../servers/free-port.ts';
import { startPrometheus } from '../../servers/prometheus.ts';
import { requireTool } from '../../servers/require-tool.ts';
import type { RunningServer } from '../../servers/server.ts';
import { alertsOf, engineStarter, heldBy, openAlertmanager, startPager } from './fault-rig.ts';

const RULES = `
groups:
  - name: faults
    interval: 1s
    rules:
      - { alert: First, expr: a > 0 }
      - { alert: Second, expr: b > 0, for: 2s }
      - { alert: Third, expr: c > 0 }
`;

const SLOWNESS_MS = 1500;

/** A proxy that lets every request wait. */
async function slowProxy(port: number): Promise<string> {
  const server = createServer(async (asked, answered) => {
    await delay(SLOWNESS_MS);
    const onward = request({ port, method: asked.method, path: asked.url, headers: asked.headers }, (answer) => {
      answered.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(answered);
    });
    onward.on('error', () => answered.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A Prometheus whose series are these values from now on, until they are changed. */
async function fedPrometheus(
  context: TestContext,
): Promise<RunningServer & { readonly values: Record<string, number> }> {
  const server = await startPrometheus({ tool: await requireTool(context, 'prometheus') });
  const writer = createRemoteWriter({ url: `${server.url}/api/v1/write`, timeoutMs: 5000, concurrency: 1 });
  const values: Record<string, number> = { a: 1, b: 1, c: 0 };
  const end = new AbortController();
  const feeding = (async () => {
    while (!end.signal.aborted) {
      const atMs = Date.now();
      const series = Object.entries(values).map(([name, value]) => ({
        labels: { __name__: name },
        samples: [{ atMs, value }],
      }));
      await writer.write(series, new AbortController().signal);
      await delay(250);
    }
  })();
  onTestFinished(async () => {
    end.abort();
    await feeding;
    await writer.close();
    await server.stop();
  });
  return { ...server, values };
}

const names = (held: readonly string[]) => held.map((alert) => alert.split(' ')[0]);

describe('two Alertmanagers, one not there at the start and one slow', () => {
  it('are told everything there is as soon as they listen, through kills and ends', {
    timeout: 120_000,
  }, async (context) => {
    const prometheus = await fedPrometheus(context);
    const [laterPort, slowPort] = [await freePort(), await freePort()];
    const [laterPager, slowPager] = [await startPager(), await startPager()];
    const slow = await openAlertmanager(context, slowPager, slowPort);
    const start = await engineStarter({
      prometheus: prometheus.url,
      alertmanagers: [`http://127.0.0.1:${laterPort}`, await slowProxy(slowPort)],
      rules: RULES,
    });
    const engine = await start();
    await until(
      async () => names(await heldBy(slow)),
      (held) => expect(held).toEqual(['First', 'Second']),
    );
    await delay(2000);
    const told = await heldBy(slow);

    const later = await openAlertmanager(context, laterPager, laterPort);
    await until(
      () => heldBy(later),
      (held) => expect(held).toEqual(told),
    );

    await slow.kill();
    Object.assign(prometheus.values, { a: 0, c: 1 });
    await until(
      async () => names(await heldBy(later)),
      (held) => expect(held).toEqual(['Second', 'Third']),
    );
    const again = await openAlertmanager(context, slowPager, slowPort);
    await until(
      async () => names(await heldBy(again)),
      (held) => expect(held).toEqual(['Second', 'Third']),
    );
    expect(await heldBy(again)).toEqual(await heldBy(later));
    expect((await alertsOf(engine)).map(({ labels, state }) => `${labels.alertname} ${state}`)).toEqual([
      'Second firing',
      'Third firing',
    ]);
    const [first, second] = told.map((alert) => alert.split(' ')[1]);
    const third = (await heldBy(later))[1]?.split(' ')[1];
    await until(
      async () => laterPager.pages(),
      (pages) =>
        expect([...pages].sort()).toEqual(
          [
            `firing First ${first}`,
            `firing Second ${second}`,
            `firing Third ${third}`,
            `resolved First ${first}`,
          ].sort(),
        ),
    );
  });
});
