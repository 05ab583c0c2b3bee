import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Agent, startAgent } from '../../../exporter/agent/agent.ts';
import { agentRoutes } from '../../../exporter/agent/routes.ts';
import type { GpuPresence } from '../../../exporter/presence.ts';
import type { Snapshot } from '../../../exporter/snapshot.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { wallZeroMs } from './fixtures.ts';

const iso = (second: number) => new Date(wallZeroMs + second * 1000).toISOString();

/** The handlers on a real server, over a real agent and a clock that the test moves. */
async function serve() {
  const world = { second: 0, gpus: undefined as number | undefined };
  const nowMs = () => wallZeroMs + world.second * 1000;
  const start = await startAgent({
    agentId: 'agent-1',
    gpuCheck: () =>
      world.gpus === undefined
        ? undefined
        : { available: world.gpus > 0, gpus: world.gpus, expected: undefined, reason: undefined },
    intervalMs: 5000,
    maxHistory: 100,
    checkpointFile: join(temporaryDirectory(), 'agent.jsonl'),
    checkpointEvery: 10,
    clock: { now: () => ({ wallMs: nowMs(), steadyMs: world.second * 1000, epoch: 'machine-1' }) },
    bootId: 'boot-a',
    log: { info: () => undefined, warn: () => undefined },
  });
  if (start.kind === 'refused') throw new Error(start.problem);
  const { agent } = start;
  const reading = () => ({ snapshot, presence: { gpus, events: [], counterEpoch: undefined, atMs: undefined } });
  const app = express();
  for (const [path, { GET }] of Object.entries(agentRoutes({ agent, reading, now: nowMs }))) app.get(path, GET);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close().closeAllConnections();
    await agent.stop();
  });
  const { port } = server.address() as AddressInfo;
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5000) });
  const check = (found: number, afterSeconds = 5) => checkOnce(world, agent, found, afterSeconds);
  return { world, ask, check };
}

function checkOnce(world: { second: number; gpus: number | undefined }, agent: Agent, gpus: number, seconds: number) {
  world.gpus = gpus;
  world.second += seconds;
  agent.check();
}

async function answer(response: Response, status = 200): Promise<Record<string, unknown>> {
  expect([response.status, response.headers.get('cache-control')]).toEqual([status, 'no-store']);
  return (await response.json()) as Record<string, unknown>;
}

const identity = (index: number) => ({
  index,
  uuid: `GPU-${index}`,
  pciBusId: `00000000:0${index}:00.0`,
  modelName: 'NVIDIA H100 80GB HBM3',
});

const presenceOf = (index: number, state: GpuPresence['state'], reason?: GpuPresence['reason']): GpuPresence => ({
  identity: identity(index),
  state,
  reason,
  firstSeenMs: wallZeroMs,
  lastSeenMs: wallZeroMs + 20_000,
  availableMs: 0,
  unavailableMs: { missing: 0, gpu_is_lost: 0, reset_required: 0, wedged: 0, error: 0 },
  unobservedMs: 0,
  xids: {},
  lastXid: undefined,
});

const gpus = { 'GPU-1': presenceOf(1, 'unavailable', 'gpu_is_lost'), 'GPU-0': presenceOf(0, 'available') };

const snapshot: Snapshot = {
  takenAtMs: wallZeroMs + 20_000,
  driverVersion: '570.86.15',
  health: { failures: [] },
  gpus: [
    {
      ...identity(0),
      gpuTemperatureCelsius: 41,
      gpuUtilPercent: 0,
      framebufferUsedMib: 512,
      framebufferFreeMib: 81_000,
      framebufferTotalMib: 81_559,
      powerWatts: 71.5,
      enforcedPowerLimitWatts: 700,
      smClockMhz: 345,
    },
  ],
};

describe('/agent/uptime-since-last-ping', () => {
  it('answers the first, plain call with all there is', async () => {
    const { ask, check } = await serve();
    for (const found of [8, 8, 7]) check(found);
    check(8, 60);
    expect(await answer(await ask('/agent/uptime-since-last-ping'))).toEqual({
      agent_id: 'agent-1',
      boot_id: 'boot-a',
      seq: 4,
      since: 0,
      timestamp: iso(75),
      first_ping: true,
      continuity: 'complete',
      gpu_available: true,
      gpu_count: 8,
      expected_gpu_count: 8,
      reason: null,
      uptime_percentage: 75,
      proven_uptime_percentage: (100 * 5) / 70,
      total_checks: 4,
      available_checks: 3,
      expected_checks: 15,
      lost_checks: 0,
      span_seconds: 70,
      available_seconds: 5,
      unavailable_seconds: 5,
      gap_seconds: 60,
      first_check_at: iso(5),
      last_check_at: iso(75),
      downtimes: [{ from: iso(15), until: iso(75), seconds: 5, checks: 1, gpu_count: 7, reason: '7 of 8 GPUs answer' }],
      downtimes_truncated: false,
    });
  });

  it('answers before anything was read, with nothing counted', async () => {
    const { ask } = await serve();
    expect(await answer(await ask('/agent/uptime-since-last-ping'))).toMatchObject({
      seq: 0,
      gpu_available: null,
      gpu_count: null,
      uptime_percentage: null,
      proven_uptime_percentage: null,
      total_checks: 0,
      first_check_at: null,
      downtimes: [],
    });
  });

  it('loses no downtime to a lost reply', async () => {
    const { ask, check } = await serve();
    check(8);
    const first = await answer(await ask('/agent/uptime-since-last-ping'));
    const cursor = `?since=${first.seq}&boot_id=${first.boot_id}`;
    check(7);
    await ask(`/agent/uptime-since-last-ping${cursor}`);
    check(8);
    expect(await answer(await ask(`/agent/uptime-since-last-ping${cursor}`))).toMatchObject({
      since: 1,
      seq: 3,
      first_ping: false,
      uptime_percentage: 50,
      unavailable_seconds: 5,
    });
    expect(await answer(await ask(`/agent/uptime-since-last-ping?since=3&boot_id=boot-a`))).toMatchObject({
      uptime_percentage: null,
      total_checks: 0,
      continuity: 'complete',
    });
  });

  it('tells plain callers of every downtime, whatever cursor a stranger came by with', async () => {
    const { ask, check } = await serve();
    for (const found of [8, 7, 8]) check(found);
    const before = await answer(await ask('/agent/uptime-since-last-ping'));
    expect(before).toMatchObject({ since: 0, first_check_at: iso(5), uptime_percentage: (100 * 2) / 3 });
    await ask(`/agent/uptime-since-last-ping?since=${before.seq}&boot_id=${before.boot_id}`);
    expect(await answer(await ask('/agent/uptime-since-last-ping'))).toEqual(before);
  });

  it.each([
    ['of another history', '?since=1&boot_id=boot-x'],
    ['from the future', '?since=99&boot_id=boot-a'],
  ])('answers a cursor %s with all there is', async (_, cursor) => {
    const { ask, check } = await serve();
    check(8);
    check(8);
    expect(await answer(await ask(`/agent/uptime-since-last-ping${cursor}`))).toMatchObject({
      since: 0,
      total_checks: 2,
      continuity: 'history_lost',
    });
  });

  const fix = 'give since and boot_id together, as the last answer said them, or neither';
  it.each([
    ['?since=1', [{ field: 'boot_id', problem: 'missing', fix }]],
    ['?boot_id=boot-a', [{ field: 'since', problem: 'missing', fix }]],
    ['?since=-1&boot_id=boot-a', [{ field: 'since', problem: 'not a whole number', fix }]],
    ['?since=1e3&boot_id=boot-a', [{ field: 'since', problem: 'not a whole number', fix }]],
    ['?since=1&since=2&boot_id=boot-a', [{ field: 'since', problem: expect.stringContaining('expected string'), fix }]],
    [`?since=1&boot_id=${'x'.repeat(129)}`, [{ field: 'boot_id', problem: expect.stringContaining('128'), fix }]],
    ['?sinc=1', [{ field: 'sinc', problem: 'unknown parameter', fix: 'remove it; known are since and boot_id' }]],
  ])('refuses %s, and says what to change', async (query, errors) => {
    const { ask, check } = await serve();
    check(8);
    const response = await ask(`/agent/uptime-since-last-ping${query}`);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer(response, 400)).toEqual({
      type: 'about:blank',
      status: 400,
      title: 'Invalid cursor',
      detail: 'The cursor cannot be understood; each entry of "errors" says what to change.',
      errors,
    });
  });
});

describe('/agent/gpu-status', () => {
  it('shows GPUs that answer with their readings, and the others with the reason', async () => {
    const { ask, check } = await serve();
    check(2, 10);
    check(1, 11.5);
    expect(await answer(await ask('/agent/gpu-status'))).toEqual({
      agent_id: 'agent-1',
      timestamp: iso(21.5),
      gpu_available: false,
      gpu_count: 1,
      expected_gpu_count: 2,
      reason: '1 of 2 GPUs answer',
      sample_age_seconds: 1.5,
      driver_version: '570.86.15',
      gpus: [
        {
          index: 0,
          uuid: 'GPU-0',
          model: 'NVIDIA H100 80GB HBM3',
          pci_bus_id: '00000000:00:00.0',
          available: true,
          reason: null,
          last_seen: iso(20),
          temperature_celsius: 41,
          memory_temperature_celsius: null,
          utilization_percent: 0,
          memory_used_mib: 512,
          memory_free_mib: 81_000,
          memory_total_mib: 81_559,
          power_watts: 71.5,
          power_limit_watts: 700,
          sm_clock_mhz: 345,
        },
        {
          index: 1,
          uuid: 'GPU-1',
          model: 'NVIDIA H100 80GB HBM3',
          pci_bus_id: '00000000:01:00.0',
          available: false,
          reason: 'gpu_is_lost',
          last_seen: iso(20),
          temperature_celsius: null,
          memory_temperature_celsius: null,
          utilization_percent: null,
          memory_used_mib: null,
          memory_free_mib: null,
          memory_total_mib: null,
          power_watts: null,
          power_limit_watts: null,
          sm_clock_mhz: null,
        },
      ],
    });
  });

  it('says that nothing was read yet', async () => {
    const { ask } = await serve();
    expect(await answer(await ask('/agent/gpu-status'))).toMatchObject({
      gpu_available: null,
      gpu_count: null,
      reason: 'nothing has been read yet',
    });
  });
});

describe('/agent/health', () => {
  it('is 200 while checks are made, and 503 when they are not', async () => {
    const { ask, check, world } = await serve();
    check(8);
    const body = {
      agent_id: 'agent-1',
      boot_id: 'boot-a',
      seq: 1,
      check_interval_seconds: 5,
      checkpoint_writable: true,
    };
    expect(await answer(await ask('/agent/health'))).toEqual({
      ...body,
      status: 'healthy',
      last_check_age_seconds: 0,
      problems: [],
    });
    world.second += 30;
    expect(await answer(await ask('/agent/health'), 503)).toEqual({
      ...body,
      status: 'unhealthy',
      last_check_age_seconds: 30,
      problems: [
        'no check has been made for 30 s, one is due every 5 s: the process was stopped or has too little CPU',
      ],
    });
  });
});
