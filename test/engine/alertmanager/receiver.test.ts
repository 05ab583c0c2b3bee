import { afterEach, describe, expect, it } from 'vitest';
import { notificationLine } from '../../../engine/alertmanager/notification.ts';
import { type Receiver, startReceiver } from '../../../engine/alertmanager/receiver.ts';
import { runReceiver } from '../../../engine/cli/receive.ts';

const ALERT = {
  status: 'firing',
  labels: { alertname: 'GpuThermalCritical', severity: 'critical', gpu: '3' },
  annotations: { summary: 'gpu 3 on gpu-node-0: 92 °C > 85 °C' },
  startsAt: '2026-01-01T12:03:05.123Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus/graph',
  fingerprint: 'abc',
} as const;

const utc = (at: Date) => at.toISOString().slice(11, 19);

describe('notificationLine', () => {
  it.each([
    ['firing', ALERT, 'FIRING critical GpuThermalCritical gpu 3 on gpu-node-0: 92 °C > 85 °C since 12:03:05'],
    [
      'resolved',
      { ...ALERT, status: 'resolved', endsAt: '2026-01-01T12:09:40Z' } as const,
      'RESOLVED critical GpuThermalCritical gpu 3 on gpu-node-0: 92 °C > 85 °C since 12:03:05 until 12:09:40',
    ],
    ['without a summary', { ...ALERT, annotations: {} }, 'FIRING critical GpuThermalCritical {gpu="3"} since 12:03:05'],
    [
      'with control characters',
      { ...ALERT, annotations: { summary: 'a\u001b[2J\nb' } },
      'FIRING critical GpuThermalCritical a [2J b since 12:03:05',
    ],
  ])('%s', (_, alert, line) => {
    expect(notificationLine(alert, utc)).toBe(line);
  });
});

let receiver: Receiver | undefined;
afterEach(async () => {
  await receiver?.close();
  receiver = undefined;
});

async function receive(body: string, init: RequestInit = {}) {
  const lines: string[] = [];
  receiver = await startReceiver({ host: '127.0.0.1', port: 0, onLine: (line) => lines.push(line) });
  const url = `http://127.0.0.1:${receiver.port}/notifications`;
  const response = await fetch(url, { method: 'POST', body, ...init });
  return { status: response.status, text: await response.text(), lines };
}

describe('POST /notifications', () => {
  it('prints one line per alert', async () => {
    const body = JSON.stringify({ version: '4', status: 'firing', receiver: 'team', alerts: [ALERT, ALERT] });
    const { status, lines } = await receive(body);
    expect(status).toBe(200);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(
      /^FIRING critical GpuThermalCritical gpu 3 on gpu-node-0: 92 °C > 85 °C since \d\d:\d\d:05$/,
    );
  });

  it('refuses what is not JSON', async () => {
    expect(await receive('<html>')).toEqual(expect.objectContaining({ status: 400, lines: [] }));
  });

  it('refuses another format, and says where it differs', async () => {
    const { status, text, lines } = await receive(
      JSON.stringify({ version: '4', alerts: [{ ...ALERT, startsAt: 'noon' }] }),
    );
    expect([status, lines]).toEqual([400, []]);
    expect(text).toBe('not an Alertmanager notification:\n✖ Invalid ISO datetime\n  → at alerts[0].startsAt\n');
  });

  it('refuses a body above 1 MiB', async () => {
    const { status, text } = await receive(' '.repeat(1024 * 1024 + 1));
    expect([status, text]).toEqual([413, 'a notification has at most 1048576 bytes\n']);
  });

  it('refuses other methods', async () => {
    expect(await receive('', { method: 'PUT' })).toEqual(expect.objectContaining({ status: 405 }));
  });
});

describe('gpu-uptime receive', () => {
  const io = () => {
    const written = { out: [] as string[], err: [] as string[] };
    return {
      written,
      out: (text: string) => written.out.push(text),
      err: (text: string) => written.err.push(text),
      env: {},
      cwd: '/',
    };
  };

  it('listens until it is interrupted', async () => {
    const console = io();
    const interruption = new AbortController();
    const exit = runReceiver(['--port', '0'], console, interruption.signal);
    await expect
      .poll(() => console.written.err.join(''))
      .toMatch(/^waiting for alerts on http:\/\/127\.0\.0\.1:\d+\/notifications$/);
    interruption.abort();
    expect(await exit).toBe(0);
  });

  it('says in one line that the port is taken', async () => {
    receiver = await startReceiver({ host: '127.0.0.1', port: 0, onLine: () => {} });
    const console = io();
    expect(await runReceiver(['--port', String(receiver.port)], console, AbortSignal.abort())).toBe(1);
    expect(console.written.err.join('')).toContain(`cannot listen on 127.0.0.1:${receiver.port}`);
  });

  it.each(['often', '70000', '-1'])('refuses the port %s', async (port) => {
    expect(await runReceiver([`--port=${port}`], io(), AbortSignal.abort())).toBe(2);
  });
});
