/** The control endpoints over a real server. */
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { json as readJson } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { initialState } from '../../../exporter/collector.ts';
import { createApp } from '../../../exporter/routes.ts';
import { simulationRoutes } from '../../../exporter/simulate.ts';
import { maxEvents } from '../../../exporter/source/mock/board.ts';
import { readOrder } from '../../../exporter/source/mock/order.ts';
import type { FleetPlan } from '../../../exporter/source/mock/plan.ts';
import { planned, startFleet, startMs } from './fleet-in-time.ts';

/** What the tests look into; the rest of an answer is compared as it is. */
interface Answer {
  readonly active: readonly unknown[];
  readonly scenarios: readonly unknown[];
  readonly available: Readonly<Record<'faults' | 'behaviours' | 'scenarios', readonly { readonly name: string }[]>>;
  readonly errors: readonly unknown[];
  readonly fleet: unknown;
  readonly clock: unknown;
  readonly elapsed_seconds: number;
  readonly gpus: readonly {
    readonly gpu: number;
    readonly intervals: readonly { readonly from: number; readonly until: number; readonly state: string }[];
  }[];
}

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve({
  plan = planned(),
  clock = {},
  address = '127.0.0.1',
}: {
  plan?: FleetPlan;
  clock?: { speed?: number };
  address?: string;
} = {}) {
  const world = startFleet(plan, clock);
  const errors: unknown[] = [];
  const reading = { state: initialState, sampleAgeMs: undefined, published: undefined };
  const parts = {
    reading: () => reading,
    source: 'mock',
    version: '1.2.3',
    onError: (error: unknown) => void errors.push(error),
  };
  const server = createServer(createApp(parts, simulationRoutes(world.fleet))).listen(0, address);
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (path = '', init: RequestInit = {}, host = '127.0.0.1') => {
    const response = await fetch(`http://${host}:${port}/api/v1/simulate${path}`, {
      ...init,
      signal: AbortSignal.timeout(5000),
    });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  const post = (body: unknown, path = '') =>
    ask(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { ...world, port, ask, post, errors };
}

const entry = (gpu: number | null, fault: string, remaining_seconds: number | null = null, node = 'node-0') => ({
  node,
  gpu,
  fault,
  active_seconds: 0,
  remaining_seconds,
});

describe('/api/v1/simulate', () => {
  it('starts, lists and ends faults', async () => {
    const { ask, post } = await serve();
    await post({ gpu: 3, fault: 'hot', seconds: 60 });
    const two = [entry(3, 'hot', 60), entry(0, 'busy')];
    expect(await post({ gpu: 0, fault: 'busy' })).toMatchObject({ status: 200, body: { active: two } });
    expect((await ask()).body.active).toEqual(two);
    expect((await post({ gpu: 3, fault: 'recover' })).body.active).toEqual([entry(0, 'busy')]);
    await post({ gpu: 1, fault: 'ecc' });
    expect((await ask('?gpu=0', { method: 'DELETE' })).body.active).toEqual([entry(1, 'ecc')]);
    expect((await ask('', { method: 'DELETE' })).body.active).toEqual([]);
  });

  it('takes a node, the settings of a fault, and behaviours', async () => {
    const { post, moveTo, read } = await serve({ plan: planned({ nodes: 2, gpus: 8 }) });
    await post({ node: 'node-1', gpu: 2, fault: 'xid', code: 43 });
    await post({ node: 'node-1', gpu: 0, fault: 'thermal-ramp', to: 90, per_minute: 600 });
    await post({ node: 'node-1', gpu: 3, behaviour: 'memory-stressed', seconds: 600 });
    const { body } = await post({ node: 'node-0', fault: 'exporter-hang' });
    expect(body.active).toEqual([
      entry(0, 'thermal-ramp', null, 'node-1'),
      entry(3, 'memory-stressed', 600, 'node-1'),
      entry(null, 'exporter-hang', null, 'node-0'),
    ]);
    moveTo(60_000);
    const { gpus, xids } = await read(1);
    expect(gpus.map((gpu) => gpu.gpuTemperatureCelsius)[0]).toBe(90);
    expect(xids?.map(({ code }) => code)).toEqual([43]);
    expect((gpus[3]?.framebufferUsedMib ?? 0) / (gpus[3]?.framebufferTotalMib ?? 1)).toBeGreaterThan(0.9);
  });

  it('starts a scenario and says how long it takes, until it is over', async () => {
    const { ask, post, moveTo } = await serve({ plan: planned({ nodes: 2, gpus: 8 }) });
    const started = await post({ scenario: 'degradation', node: 'node-1', gpu: 2 });
    const place = { node: 'node-1', gpu: 2 };
    expect(started.body.scenarios).toEqual([
      { ...place, scenario: 'degradation', active_seconds: 0, remaining_seconds: 540 },
    ]);
    moveTo(200_000);
    expect((await ask()).body).toMatchObject({
      scenarios: [{ ...place, scenario: 'degradation', active_seconds: 200, remaining_seconds: 340 }],
      active: [
        { ...place, fault: 'thermal-ramp', active_seconds: 200, remaining_seconds: 10 },
        { ...place, fault: 'ecc-storm', active_seconds: 80, remaining_seconds: 340 },
        { ...place, fault: 'hot', active_seconds: 20, remaining_seconds: 340 },
      ],
    });
    moveTo(540_000);
    expect((await ask()).body).toMatchObject({ scenarios: [], active: [] });
    const outage = await post({ scenario: 'fleet-outage' });
    expect(outage.body.scenarios).toMatchObject([{ node: null, gpu: null, scenario: 'fleet-outage' }]);
  });

  it('says what there is to simulate, on which fleet and clock', async () => {
    const { ask } = await serve({ plan: planned({ nodes: 2, gpus: 8 }), clock: { speed: 60 } });
    const { body } = await ask();
    expect(body.fleet).toEqual({ nodes: 2, gpus: 8, first_node: 'node-0' });
    expect(body.clock).toEqual({ now: startMs / 1000, elapsed_seconds: 0, speed: 60 });
    const names = (kind: 'faults' | 'behaviours' | 'scenarios') => body.available[kind].map(({ name }) => name);
    expect(names('faults').slice(0, 5)).toEqual(['hot', 'busy', 'lost', 'power', 'ecc']);
    expect(names('behaviours')).toContain('early-warning');
    expect(names('scenarios')).toContain('degradation');
    expect(body.available.faults.find(({ name }) => name === 'xid')).toEqual({
      name: 'xid',
      what: 'raises one XID',
      scope: 'gpu',
      seconds: 0,
      parameters: { code: 'an XID, a whole number from 1 to 999' },
    });
  });

  const faults =
    'hot, busy, lost, power, ecc, off-the-bus, xid, ecc-storm, thermal-ramp, sensor-blank, driver-reload, exporter-hang, node-down';
  const gpuFix = 'give the index of a GPU, a whole number from 0 to 3';

  it.each([
    {
      body: { gpu: 4, fault: 'cold', seconds: 0, extra: 1 },
      errors: [
        { field: 'extra', problem: 'is not known here', fix: 'remove it; known here are node, gpu, fault, seconds' },
        {
          field: 'seconds',
          problem: 'is 0',
          fix: 'give a number above 0 and at most 86400, or leave it out to keep the fault until it is cleared',
        },
        { field: 'gpu', problem: 'is 4', fix: gpuFix },
        { field: 'fault', problem: 'is "cold"', fix: `give one of ${faults}, recover` },
      ],
    },
    { body: { fault: 'hot' }, errors: [{ field: 'gpu', problem: 'is missing', fix: gpuFix }] },
    { body: { gpu: 1 }, errors: [{ field: 'fault', problem: 'is missing', fix: `give one of ${faults}, recover` }] },
    {
      body: { gpu: 1, fault: 'driver-reload' },
      errors: [{ field: 'gpu', problem: 'is given', fix: 'remove it: driver-reload strikes a whole node' }],
    },
    {
      body: { gpu: 1, fault: 'xid', seconds: 5 },
      errors: [{ field: 'seconds', problem: 'is given', fix: 'remove it: xid happens at an instant' }],
    },
    {
      body: { gpu: 1, fault: 'xid', code: 'x' },
      errors: [{ field: 'code', problem: 'is "x"', fix: 'give an XID, a whole number from 1 to 999' }],
    },
    {
      body: { gpu: 1, fault: 'hot', node: 'node-7' },
      errors: [{ field: 'node', problem: 'is "node-7"', fix: 'give node-0, or leave it out for the first' }],
    },
    { body: { gpu: 9, fault: 'recover' }, errors: [{ field: 'gpu', problem: 'is 9', fix: gpuFix }] },
    {
      body: { scenario: 'degredation' },
      errors: [
        {
          field: 'scenario',
          problem: 'is "degredation"',
          fix: expect.stringMatching(/^write degradation; there are /),
        },
      ],
    },
    {
      body: { scenario: 'fleet-outage', gpu: 1 },
      errors: [{ field: 'gpu', problem: 'is given', fix: 'remove it: fleet-outage strikes all' }],
    },
    {
      body: [],
      errors: [
        {
          field: 'body',
          problem: 'is no JSON object',
          fix: 'send one with Content-Type application/json, for example {"gpu": 3, "fault": "hot", "seconds": 60}',
        },
      ],
    },
  ])('names everything that is wrong with $body', async ({ body, errors }) => {
    const { ask, post } = await serve();
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 400, body: { title: 'Invalid simulation request' } });
    expect(answer.body.errors).toEqual(errors);
    expect((await ask()).body.active).toEqual([]);
  });

  it.each([
    { what: 'a body that is not JSON', body: '{', status: 400, title: 'Unreadable request body' },
    { what: 'more than 4 KiB', body: `"${'x'.repeat(4096)}"`, status: 413, title: 'Request body too large' },
  ])('refuses $what', async ({ body, status, title }) => {
    const { post, errors } = await serve();
    expect(await post(body)).toMatchObject({ status, body: { status, title } });
    expect(errors).toEqual([]);
  });

  it('refuses a GPU or node that does not exist in DELETE too', async () => {
    const { ask } = await serve();
    expect((await ask('?gpu=4', { method: 'DELETE' })).body.errors).toMatchObject([{ field: 'gpu', problem: 'is 4' }]);
    expect((await ask('?gpu=x', { method: 'DELETE' })).body.errors).toMatchObject([
      { field: 'gpu', problem: 'is "x"' },
    ]);
    expect((await ask('?node=x', { method: 'DELETE' })).body.errors).toMatchObject([
      { field: 'node', problem: 'is "x"' },
    ]);
  });

  it('says when there have been too many faults', async () => {
    const { post, fleet } = await serve();
    const xid = { name: 'xid', effects: [], node: 0, gpu: 0, lastsMs: 0 };
    for (let nth = 0; nth < maxEvents; nth += 1) fleet.board.strike(xid);
    expect(await post({ gpu: 0, fault: 'hot' })).toMatchObject({
      status: 409,
      body: { title: 'Too many simulated faults' },
    });
  });
});

describe('readOrder', () => {
  it('understands, or knows what to do, whatever it is sent', () => {
    const value = fc.oneof(
      fc.constantFrom('hot', 'recover', 'xid', 'node-down', 'degradation', 'node-0', 'aging'),
      fc.integer({ max: 9 }),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.string()),
      fc.object(),
    );
    const keys = fc.constantFrom(
      'gpu',
      'node',
      'fault',
      'behaviour',
      'scenario',
      'seconds',
      'code',
      'to',
      'sensors',
      'shows',
      'x',
    );
    fc.assert(
      fc.property(fc.oneof(fc.dictionary(keys, value), value), (body) => {
        const result = readOrder(body, planned({ nodes: 2, gpus: 8 }));
        if (result.kind === 'understood') return;
        expect(result.errors.length).toBeGreaterThan(0);
        for (const { problem, fix } of result.errors) expect(`${problem}: ${fix}`).not.toMatch(/undefined|\[object/);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('whoever asks', () => {
  const paths = ['', '/clock', '/truth'];

  /** A request with headers that fetch would not send. */
  async function askAs(port: number, path: string, headers: Record<string, string>) {
    const sent = request({ port, host: '127.0.0.1', path: `/api/v1/simulate${path}`, headers }).end();
    const [response] = await once(sent, 'response', { signal: AbortSignal.timeout(5000) });
    return { status: response.statusCode, body: await readJson(response) };
  }

  it.each([
    { who: 'a proxy on this machine', headers: { 'X-Forwarded-For': '10.0.0.1' } },
    { who: 'a page of another site', headers: { Origin: 'https://example.org' } },
    { who: 'a page without an origin', headers: { Origin: 'null' } },
    { who: 'a name that was made to point here', headers: { Host: 'rebound.example.org:9400' } },
    { who: 'a browser for another site', headers: { 'Sec-Fetch-Site': 'cross-site' } },
  ])('is refused when it is $who, at every path', async ({ headers }) => {
    const { port } = await serve();
    for (const path of paths) expect((await askAs(port, path, headers as Record<string, string>)).status).toBe(403);
  });

  it('is heard on this machine by any of its loopback names', async () => {
    const { port } = await serve();
    for (const host of ['localhost', '127.0.0.1', '[::1]'])
      for (const path of paths) expect((await askAs(port, path, { Host: `${host}:${port}` })).status).toBe(200);
  });

  it('is refused from other machines', async ({ skip }) => {
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const host = own.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    if (host === undefined) return skip('this machine has no address but loopback');
    const { ask } = await serve({ address: '0.0.0.0' });
    for (const path of paths) expect(await ask(path, {}, host)).toMatchObject({ status: 403 });
    for (const method of ['POST', 'DELETE']) expect((await ask('', { method }, host)).status).toBe(403);
  });
});

describe('/api/v1/simulate/clock', () => {
  it('moves the scenario, not the age of the readings', async () => {
    const { ask, post, read, moveTo } = await serve({ clock: { speed: 0 } });
    moveTo(5000);
    expect((await ask('/clock')).body).toEqual({ now: (startMs + 5000) / 1000, elapsed_seconds: 0, speed: 0 });
    expect((await post({ advance_seconds: 600.5 }, '/clock')).body).toMatchObject({ elapsed_seconds: 600.5 });
    const { takenAtMs, gpus } = await read();
    expect(takenAtMs).toBe(startMs + 5000);
    expect(gpus[0]?.energyMillijoules).toBeGreaterThan(600 * 290_000);
  });

  it.each([
    [{}, 'is missing'],
    [{ advance_seconds: -1 }, 'is -1'],
    [{ advance_seconds: 604_801 }, 'is 604801'],
  ])('does not move by %j', async (body, problem) => {
    const { ask, post } = await serve();
    const fix = 'give seconds of simulated time, a number above 0 and at most 604800';
    expect(await post(body, '/clock')).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'advance_seconds', problem, fix }] },
    });
    expect((await ask('/clock')).body.elapsed_seconds).toBe(0);
  });
});

describe('/api/v1/simulate/truth', () => {
  const source = 'events: [{at: 10m, until: 25m, node: node-1, gpu: 2, fault: off-the-bus}]';
  const plan = planned({ nodes: 2, gpus: 8 }, source);
  const second = (at: number) => startMs / 1000 + at;

  it('answers intervals to the millisecond, from the start until now', async () => {
    const { ask, fleet, moveTo } = await serve({ plan });
    moveTo(3_600_000.25);
    const { body } = await ask('/truth?node=node-1&gpu=2');
    expect(body).toMatchObject({ from: second(0), to: second(3600.000_25) });
    expect(body.gpus).toEqual([
      {
        node: 'node-1',
        gpu: 2,
        uuid: fleet.nodes[1]?.uuids()[2],
        up_seconds: 2700,
        down_seconds: 900,
        intervals: [
          { from: second(0), until: second(600), state: 'up', observable: true, because: [] },
          { from: second(600), until: second(1500), state: 'down', observable: true, because: ['off-the-bus'] },
          { from: second(1500), until: second(3600), state: 'up', observable: true, because: [] },
        ],
      },
    ]);
    expect((await ask('/truth')).body.gpus).toHaveLength(8);
    expect((await ask('/truth?node=node-0')).body.gpus.map(({ gpu }) => gpu)).toEqual([0, 1, 2, 3]);
  });

  it('takes seconds and dates, in the future too', async () => {
    const { ask } = await serve({ plan });
    const from = new Date(startMs + 599_999).toISOString();
    const { body } = await ask(`/truth?node=node-1&gpu=2&from=${from}&to=${second(600.001)}`);
    expect(body.gpus[0]?.intervals.map((one) => [one.from, one.until, one.state])).toEqual([
      [second(599.999), second(600), 'up'],
      [second(600), second(600.001), 'down'],
    ]);
  });

  it.each([
    ['?from=yesterday', 'from', 'is "yesterday"'],
    [`?from=${second(9)}&to=${second(5)}`, 'to', 'is before from'],
    [`?from=0&to=${second(5)}`, 'from', 'is more than 31 days before to'],
    ['?node=node-9', 'node', 'is not in the fleet'],
    ['?node=node-1&gpu=4', 'gpu', 'is not in the fleet'],
    ['?colour=red', 'colour', 'is not known here'],
  ])('refuses %s', async (query, field, problem) => {
    const { ask } = await serve({ plan });
    expect(await ask(`/truth${query}`)).toMatchObject({ status: 400, body: { errors: [{ field, problem }] } });
  });

  it('refuses more than it can answer at once, and before it takes long', async () => {
    const { ask } = await serve({ plan: planned({ nodes: 10, gpus: 80, behaviour: 'flapping' }) });
    const since = performance.now();
    const answer = await ask(`/truth?to=${second(31 * 86_400)}`);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ fix: 'ask for less time, or for one node' }] } });
    expect(performance.now() - since).toBeLessThan(4000);
  });
});
