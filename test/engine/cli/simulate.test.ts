import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { simulate } from '../../../engine/cli/simulate.ts';
import { freePort } from '../../servers/free-port.ts';

/** Runs the command and returns its exit code and everything it printed. */
async function run(args: readonly string[], env: NodeJS.ProcessEnv) {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line), env, cwd: '/' };
  return { code: await simulate.run(args, io), out, err };
}

/** An exporter that answers everything with `status` and `body`, and remembers what it was asked. */
async function exporter(status: number, body: unknown) {
  const asked: unknown[] = [];
  const server = createServer(async (request, response) => {
    const { method, url } = request;
    asked.push({ method, url, body: await text(request) });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { asked, env: { EXPORTER_URL: `http://127.0.0.1:${port}` } };
}

describe('gpu-uptime simulate', () => {
  it('breaks a GPU for a while', async () => {
    const { asked, env } = await exporter(200, { active: [] });
    expect(await run(['hot', '--gpu', '3', '--seconds', '60'], env)).toEqual({
      code: 0,
      out: ['GPU 3 is now simulated as hot for 60 s.'],
      err: [],
    });
    expect(asked).toEqual([{ method: 'POST', url: '/api/v1/simulate', body: '{"gpu":3,"fault":"hot","seconds":60}' }]);
  });

  it.each([
    [['recover'], '/api/v1/simulate', 'All GPUs recover.'],
    [['recover', '--gpu', '3'], '/api/v1/simulate?gpu=3', 'GPU 3 recovers.'],
  ])('mends with %j', async (args, url, line) => {
    const { asked, env } = await exporter(200, { active: [] });
    expect(await run(args, env)).toEqual({ code: 0, out: [line], err: [] });
    expect(asked).toEqual([{ method: 'DELETE', url, body: '' }]);
  });

  it("passes on the exporter's reasons", async () => {
    const errors = [{ field: 'gpu', problem: 'Too big', fix: 'give the index of a GPU, a whole number from 0 to 7' }];
    const { env } = await exporter(400, { detail: 'The request names no fault.', errors });
    expect(await run(['hot', '--gpu', '9'], env)).toEqual({
      code: 1,
      out: [],
      err: ['gpu: Too big; give the index of a GPU, a whole number from 0 to 7.'],
    });
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
    [[], 'give exactly one fault, or recover'],
    [['warm', '--gpu', '1'], 'there is no fault "warm"; the faults are hot, busy, lost, power, ecc'],
    [['hot'], 'say which GPU, such as --gpu 3'],
    [['hot', '--gpu', 'x'], '--gpu needs the index of a GPU, such as 3'],
    [['hot', '--gpu', '1', '--seconds', 'x'], '--seconds needs a number, such as 60'],
  ])('does not take %j', async (args, problem) => {
    const { code, err } = await run(args, {});
    expect([code, err[0]?.split('\n')[0]]).toEqual([2, `gpu-uptime simulate: ${problem}`]);
  });
});
