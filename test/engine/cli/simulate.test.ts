/** The command against the real control endpoint. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { simulate } from '../../../engine/cli/simulate.ts';
import { initialState } from '../../../exporter/collector.ts';
import { createApp } from '../../../exporter/routes.ts';
import { simulationRoutes } from '../../../exporter/simulate.ts';
import { planned, startFleet } from '../../exporter/mock/fleet-in-time.ts';
import { freePort } from '../../servers/free-port.ts';

/** Runs the command and returns its exit code and everything it printed. */
async function run(args: readonly string[], env: NodeJS.ProcessEnv) {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line), env, cwd: '/' };
  return { code: await simulate.run(args, io), out, err };
}

async function serve(listener: RequestListener): Promise<{ readonly env: NodeJS.ProcessEnv; readonly url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { env: { EXPORTER_URL: url }, url };
}

/** The control endpoint of a fleet on a clock that the test moves. */
async function exporter({ nodes = 1, speed = 1 } = {}) {
  const world = startFleet(planned({ nodes, gpus: nodes * 4 }), { speed });
  const reading = () => ({ state: initialState, sampleAgeMs: undefined, published: undefined });
  const parts = { reading, source: 'mock', version: '1.2.3', onError: () => undefined };
  return { ...world, ...(await serve(createApp(parts, simulationRoutes(world.fleet)))) };
}

const hot = 'heats at 5 °C a second to 3 °C above its slowdown threshold, an A100 to 92 °C; then slows down to 210 MHz';
const degradation =
  'a GPU gets warm for 3 minutes, runs hot with memory errors for 3, falls off the bus for 1, comes back hot for 2 and is well from minute 9 on';

describe('gpu-uptime simulate', () => {
  it.each([
    {
      args: ['hot', '--gpu', '3', '--seconds', '60'],
      says: `GPU 3 is now simulated as hot for 60 s: ${hot}.`,
      active: [{ name: 'hot', gpu: 3, remainingMs: 60_000 }],
    },
    {
      args: ['hot', '--gpu', '3'],
      says: `GPU 3 is now simulated as hot until gpu-uptime simulate recover --gpu 3: ${hot}.`,
      active: [{ name: 'hot', gpu: 3, remainingMs: undefined }],
    },
    {
      args: ['driver-reload'],
      says: 'The node is now simulated as driver-reload for 30 s: no GPU of the node can be read; afterwards the counters that live in the driver begin anew.',
      active: [{ name: 'driver-reload', gpu: undefined, remainingMs: 30_000 }],
    },
    { args: ['xid', '--gpu', '1', '--set', 'code=79'], says: 'GPU 1 raises one XID, once.', active: [] },
    {
      args: ['sensor-blank', '--gpu', '1', '--set', 'sensors=power,ecc', '--set', 'shows=sentinel', '--seconds', '180'],
      says: 'GPU 1 is now simulated as sensor-blank for 3 min: sensors without a value: left out, or the number a driver writes for none.',
      active: [{ name: 'sensor-blank', gpu: 1, remainingMs: 180_000 }],
    },
    {
      args: ['behaviour', 'hot', '--gpu', '1'],
      says: 'GPU 1 is now simulated as hot until gpu-uptime simulate recover --gpu 1: runs warm from the start: at peak 1 °C below its slowdown threshold, an A100 at 88 °C.',
      active: [{ name: 'hot', gpu: 1, remainingMs: undefined }],
    },
    {
      args: ['fault', 'ecc-storm', '--gpu', '1', '--seconds', '90'],
      says: 'GPU 1 is now simulated as ecc-storm for 90 s: memory errors at a steady rate; XID 48 for each uncorrectable one.',
      active: [{ name: 'ecc-storm', gpu: 1, remainingMs: 90_000 }],
    },
  ])('does $args and says so', async ({ args, says, active }) => {
    const { env, fleet } = await exporter();
    expect(await run(args, env)).toEqual({ code: 0, out: [says], err: [] });
    expect(fleet.board.active()).toMatchObject(active);
  });

  it('starts a scenario, and says what will happen, when it is over and how to end it', async () => {
    const { env, fleet } = await exporter();
    expect(await run(['degradation'], env)).toEqual({
      code: 0,
      out: [
        `Scenario degradation has started for GPU 0: ${degradation}.\nIt is over after 9 min; gpu-uptime simulate recover --gpu 0 ends it at once.`,
      ],
      err: [],
    });
    expect(fleet.board.running()).toMatchObject([{ name: 'degradation', gpu: 0, remainingMs: 540_000 }]);
  });

  it('says for which node it is, and how long it takes on this clock', async () => {
    const { env, fleet } = await exporter({ nodes: 2, speed: 60 });
    const { out } = await run(['degradation', '--node', 'node-1', '--gpu', '2'], env);
    expect(out).toEqual([
      `Scenario degradation has started for GPU 2 of node-1: ${degradation}.\nIt is over after 9 min of simulated time, 9 s on this clock; gpu-uptime simulate recover --gpu 2 --node node-1 ends it at once.`,
    ]);
    expect(fleet.board.running()).toMatchObject([{ node: 1, gpu: 2 }]);
    expect((await run(['lost', '--gpu', '1', '--seconds', '5'], env)).out[0]).toMatch(
      /^GPU 1 of node-0 is now simulated as lost for 5 s of simulated time, 0\.083 s on this clock: /,
    );
    expect((await run(['fleet-outage'], env)).out[0]).toMatch(
      /^Scenario fleet-outage has started for the fleet: every node is off for 3 minutes\.\n.*gpu-uptime simulate recover ends it at once\.$/,
    );
  });

  it.each([
    { args: ['recover'], says: 'All GPUs recover.', left: [] },
    { args: ['recover', '--gpu', '3'], says: 'GPU 3 recovers.', left: ['node-0 1', 'node-1 3'] },
    {
      args: ['recover', '--gpu', '3', '--node', 'node-1'],
      says: 'GPU 3 of node-1 recovers.',
      left: ['node-0 1', 'node-0 3'],
    },
    { args: ['recover', '--node', 'node-0'], says: 'node-0 and all its GPUs recover.', left: ['node-1 3'] },
  ])('mends with $args', async ({ args, says, left }) => {
    const { env, fleet } = await exporter({ nodes: 2 });
    for (const place of [
      ['--gpu', '1'],
      ['--gpu', '3'],
      ['--gpu', '3', '--node', 'node-1'],
    ])
      await run(['lost', ...place], env);
    expect(await run(args, env)).toEqual({ code: 0, out: [says], err: [] });
    const nodes = fleet.board.plan.nodes.map(({ name }) => name);
    expect(fleet.board.active().map(({ node = 0, gpu }) => `${nodes[node]} ${gpu}`)).toEqual(left);
  });

  it('lists what there is, and what is going on', async () => {
    const { env, moveTo } = await exporter({ nodes: 2 });
    await run(['degradation', '--gpu', '1'], env);
    moveTo(200_000);
    const { code, out } = await run(['list'], env);
    expect(code).toBe(0);
    await expect(`${out.join('\n')}\n`).toMatchFileSnapshot('golden/simulate-list.txt');
  });

  it("passes on the exporter's reasons", async () => {
    const { env } = await exporter();
    expect(await run(['hot', '--gpu', '9', '--seconds', '0'], env)).toEqual({
      code: 1,
      out: [],
      err: [
        'seconds is 0: give a number above 0 and at most 86400, or leave it out to keep the fault until it is cleared.\n' +
          'gpu is 9: give the index of a GPU, a whole number from 0 to 3.',
      ],
    });
    expect((await run(['recover', '--gpu', '9'], env)).err).toEqual([
      'gpu is 9: give the index of a GPU, a whole number from 0 to 3.',
    ]);
  });

  it('says that no exporter is there, and what to do', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, err } = await run(['lost', '--gpu', '0'], { EXPORTER_URL: url });
    expect(code).toBe(1);
    expect(err.join()).toMatch(
      /^No exporter answers at .+ECONNREFUSED.+; start one with npm start, or set EXPORTER_URL or EXPORTER_PORT to where it listens\.$/,
    );
  });

  it.each([
    {
      status: 404,
      body: { title: 'Not found' },
      says: /^The exporter at .+ does not simulate its GPUs; start it with GPU_SOURCE=mock\.$/,
    },
    { status: 403, body: { detail: 'Only from this machine.' }, says: /^Only from this machine\.$/ },
    {
      status: 200,
      body: 'hello',
      says: /^The exporter answered HTTP 200; is EXPORTER_URL really an exporter of gpu-uptime\?$/,
    },
  ])('says what HTTP $status means', async ({ status, body, says }) => {
    const { env } = await serve((_request, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
    const { code, err } = await run(['hot', '--gpu', '1'], env);
    expect([code, err.join()]).toEqual([1, expect.stringMatching(says)]);
  });

  it.each([
    [[], 'give exactly one scenario, fault, recover or list'],
    [['hot', 'lost'], 'give exactly one scenario, fault, recover or list'],
    [
      ['warm', '--gpu', '1'],
      'there is no scenario, fault, or behaviour "warm"; gpu-uptime simulate list shows what there is',
    ],
    [['degredation'], 'there is no scenario, fault, or behaviour "degredation"; did you mean "degradation"?'],
    [['fault', 'degradation'], 'there is no fault "degradation"; gpu-uptime simulate list shows what there is'],
    [['hot'], 'say which GPU, such as --gpu 3'],
    [['hot', '--gpu', 'x'], '--gpu needs the index of a GPU, such as 3'],
    [['hot', '--gpu', ''], '--gpu needs the index of a GPU, such as 3'],
    [['hot', '--gpu', '1', '--seconds', 'x'], '--seconds needs a number, such as 60'],
    [['xid', '--gpu', '1', '--set', 'code'], '--set needs KEY=VALUE, such as code=79, and is "code"'],
    [
      ['ecc-storm', '--gpu', '1', '--seconds', '5'],
      'a scenario has its own length and settings; for the fault write: gpu-uptime simulate fault ecc-storm',
    ],
  ])('does not take %j', async (args, problem) => {
    const { env, fleet } = await exporter();
    const { code, err } = await run(args, env);
    expect([code, err[0]?.split('\n')[0]]).toEqual([2, `gpu-uptime simulate: ${problem}`]);
    expect(fleet.board.active()).toEqual([]);
  });
});
