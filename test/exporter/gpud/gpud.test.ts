import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import express from 'express';
import { load } from 'js-yaml';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gpudRoutes } from '../../../exporter/gpud/gpud.ts';
import { createSlowdownWatch } from '../../../exporter/gpud/slowdown.ts';
import { componentNames } from '../../../exporter/gpud/states.ts';
import type { Snapshot } from '../../../exporter/snapshot.ts';
import { bareGpu, gpu, minuteMs, presenceAfter, snapshotOf, uuid, xid, xidText, zeroMs } from './fixtures.ts';

/** The handlers on a real server, over snapshots that the test feeds in. */
async function serve(...snapshots: readonly Snapshot[]) {
  const world = { nowMs: zeroMs, snapshots: [...snapshots] };
  const slowdowns = createSlowdownWatch();
  const routes = gpudRoutes({
    slowdowns: slowdowns.seen,
    state: () => ({
      snapshot: world.snapshots.at(-1),
      failure: undefined,
      presence: presenceAfter(world.snapshots),
    }),
    xidText,
    now: () => world.nowMs,
  });
  const app = express();
  for (const [path, { GET }] of Object.entries(routes)) app.get(path, GET);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  // By node:http, because fetch adds headers of its own.
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, headers, timeout: 5000 }).end();
    const [response] = await once(sent, 'response', { signal: AbortSignal.timeout(5000) });
    const body = await buffer(response);
    return { status: response.statusCode as number, headers: response.headers, body, text: body.toString() };
  };
  return { world, slowdowns, ask };
}

const names = (text: string) => JSON.parse(text).map(({ component }: { component: string }) => component);

describe('/healthz', () => {
  it('answers with the very bytes that GPUd’s client compares', async () => {
    const { ask } = await serve();
    const { status, headers, text } = await ask('/healthz');
    expect([status, text]).toEqual([200, '{"status":"ok","version":"v1"}']);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it.each([
    ['indents on request', { 'json-indent': 'true' }, '{\n    "status": "ok",\n    "version": "v1"\n}'],
    ['speaks YAML', { 'content-type': 'application/yaml' }, 'status: ok\nversion: v1\n'],
    ['never refuses', { 'content-type': 'text/plain' }, '{"status":"ok","version":"v1"}'],
  ])('%s', async (_, headers, expected) => {
    const { ask } = await serve();
    expect(await ask('/healthz', headers)).toMatchObject({ status: 200, text: expected });
  });
});

describe('/v1/states', () => {
  it('lists the components that the GPUs support, in order', async () => {
    const { ask } = await serve(snapshotOf([bareGpu(0)]));
    const { status, headers, text } = await ask('/v1/states');
    expect([status, headers['cache-control'], names(text)]).toEqual([
      200,
      'no-store',
      ['accelerator-nvidia-error-xid', 'accelerator-nvidia-gpu-counts', 'accelerator-nvidia-temperature'],
    ]);
  });

  it('lists those that were asked for', async () => {
    const { ask } = await serve(snapshotOf([gpu(0)]));
    const asked = 'accelerator-nvidia-temperature,accelerator-nvidia-ecc';
    expect(names((await ask(`/v1/states?components=${asked}`)).text)).toEqual([
      'accelerator-nvidia-ecc',
      'accelerator-nvidia-temperature',
    ]);
    expect(names((await ask('/v1/states?components=')).text)).toEqual(componentNames);
  });

  it.each(['disk', 'accelerator-nvidia-ecc,disk', 'accelerator-nvidia-ecc&components=disk'])(
    'knows no component %s',
    async (asked) => {
      const { ask } = await serve(snapshotOf([gpu(0)]));
      const { status, headers, text } = await ask(`/v1/states?components=${asked}`);
      expect([status, headers['content-type']]).toEqual([404, 'application/problem+json']);
      expect(JSON.parse(text)).toMatchObject({
        title: 'Component not found',
        detail: expect.stringContaining('there are accelerator-nvidia-clock-speed, '),
      });
    },
  );

  it('says the same in JSON, in YAML and compressed', async () => {
    const { ask } = await serve(snapshotOf([gpu(0)]));
    const json = JSON.parse((await ask('/v1/states')).text);
    const yaml = await ask('/v1/states', { 'content-type': 'application/yaml' });
    expect(yaml.headers['content-type']).toBe('application/yaml; charset=utf-8');
    expect(load(yaml.text)).toEqual(json);
    expect(load((await ask('/v1/states', { accept: 'application/yaml' })).text)).toEqual(json);
    const zipped = await ask('/v1/states', { 'accept-encoding': 'gzip' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(zipped.body).toString())).toEqual(json);
    expect((await ask('/v1/states', { 'accept-encoding': 'identity' })).headers['content-encoding']).toBeUndefined();
    expect((await ask('/v1/states', { 'json-indent': 'true' })).text).toBe(JSON.stringify(json, undefined, 4));
  });

  it('refuses a format that GPUd does not know', async () => {
    const { ask } = await serve(snapshotOf([gpu(0)]));
    const { status, text } = await ask('/v1/states', { 'content-type': 'text/csv' });
    expect([status, JSON.parse(text).title]).toEqual([400, 'Unknown content type']);
  });

  it('remembers slowdowns from one snapshot to the next', async () => {
    const { ask, slowdowns, world } = await serve(snapshotOf([gpu(0)]));
    for (let minute = 0; minute < 6; minute += 1) {
      world.nowMs = zeroMs + minute * minuteMs;
      slowdowns.observe(snapshotOf([gpu(0, { clocksEventReasons: 0x8 })], { takenAtMs: world.nowMs }));
    }
    const [{ states }] = JSON.parse((await ask('/v1/states?components=accelerator-nvidia-hw-slowdown')).text);
    expect(states[0]).toMatchObject({
      health: 'Unhealthy',
      suggested_actions: { repair_actions: ['HARDWARE_INSPECTION'] },
    });
    const [{ events }] = JSON.parse((await ask('/v1/events?components=accelerator-nvidia-hw-slowdown')).text);
    expect(events).toHaveLength(6);
  });
});

describe('/v1/events', () => {
  const xids = '/v1/events?components=accelerator-nvidia-error-xid';
  const withXid = snapshotOf([gpu(0)], { xids: [xid(79, 0)] });
  const event = {
    component: 'accelerator-nvidia-error-xid',
    time: '2026-01-01T00:00:00Z',
    name: 'error_xid',
    type: 'Fatal',
    message: `XID 79 (GPU has fallen off the bus) on ${uuid(0)} at 0000:0f:00.0`,
  };

  it('tells what is remembered, when nothing else is asked for', async () => {
    const { ask, world } = await serve(withXid);
    world.nowMs = zeroMs + 1500;
    expect(JSON.parse((await ask(xids)).text)).toEqual([
      {
        component: 'accelerator-nvidia-error-xid',
        startTime: '2025-12-29T00:00:01.500Z',
        endTime: '2026-01-01T00:00:01.500Z',
        events: [event],
      },
    ]);
    expect(names((await ask('/v1/events')).text)).toEqual(componentNames);
  });

  const second = zeroMs / 1000;
  it.each([
    [`startTime=${second}`, [event]],
    [`startTime=${second + 1}&endTime=${second + 2}`, []],
    [`startTime=${second - 9}&endTime=${second - 1}`, []],
    ['startTime=2026-01-01T00:00:00Z', [event]],
    ['startTime=2026-01-01T01:00:00.5%2B01:00', []],
    ['endTime=2026-01-01T00:00:00Z', [event]],
    ['since=30m', [event]],
  ])('keeps to %s', async (query, expected) => {
    const { ask, world } = await serve(withXid);
    world.nowMs = zeroMs + 60_000;
    const { status, text } = await ask(`${xids}&${query}`);
    expect([status, JSON.parse(text)[0].events]).toEqual([200, expected]);
  });

  const fix = 'give seconds since the epoch, such as 1767225600, or a time such as 2026-01-01T00:00:00Z';
  const notATime = (field: string) => ({ field, problem: 'not a time', fix });
  it.each([
    ['startTime=yesterday', [notATime('startTime')]],
    ['startTime=-1', [notATime('startTime')]],
    ['endTime=2026-13-01T00:00:00Z&startTime=1e9', [notATime('startTime'), notATime('endTime')]],
    ['startTime=1&startTime=2', [notATime('startTime')]],
    [
      'startTime=2&endTime=1',
      [
        {
          field: 'startTime',
          problem: 'later than endTime',
          fix: 'swap the two, or leave endTime out for "until now"',
        },
      ],
    ],
  ])('refuses %s, and says what to change', async (query, errors) => {
    const { ask } = await serve(withXid);
    const { status, text } = await ask(`/v1/events?${query}`);
    expect([status, JSON.parse(text).errors]).toEqual([400, errors]);
  });

  it('refuses a component that there is not', async () => {
    const { ask } = await serve(withXid);
    expect((await ask('/v1/events?components=disk')).status).toBe(404);
  });
});

describe('/v1/gpu', () => {
  it('gives raw metrics', async () => {
    const { ask } = await serve(snapshotOf([gpu(0), bareGpu(1)]));
    const { status, text } = await ask('/v1/gpu');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      driver_version: '570.86.15',
      gpu_metrics: [
        { index: 0, temperature: 45 },
        { index: 1, temperature: 40 },
      ],
    });
    expect(text).not.toContain('null');
  });
});
