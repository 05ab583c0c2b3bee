import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import { launchChild } from '../../../exporter/source/nvml/driver-process.ts';
import { parseReport, type Report } from '../../../exporter/source/nvml/protocol.ts';
import { uuidOf } from './cards.ts';
import { buildFakeNvml, type FakeNvml } from './fake-nvml.ts';
import { isRunning } from './is-running.ts';
import { cards, soon } from './nvml-source.ts';

/** The driver process alone, with everything it says. */
async function startChild(context: TestContext, gpus = 2) {
  const fake = await buildFakeNvml(context);
  fake.write(cards(gpus));
  const child = launchChild({ library: { kind: 'library', path: fake.path }, maxProcesses: 0 });
  endWith(context, child);
  const reports: Report[] = [];
  const events: unknown[] = [];
  child.on('message', (event) => events.push(event));
  const pipe = child.stdio[4];
  if (pipe === null || pipe === undefined || !('readable' in pipe))
    throw new Error('the process has no pipe for its reports');
  createInterface({ input: pipe }).on('line', (line) => {
    const report = parseReport(line);
    if (report !== undefined) reports.push(report);
  });
  const answers = () => reports.filter(({ kind }) => kind !== 'touching' && kind !== 'met');
  return { fake, child, reports, answers, events };
}

function endWith(context: TestContext, child: ChildProcess): void {
  context.onTestFinished(() => void child.kill('SIGKILL'));
}

const touched = (reports: readonly Report[]) =>
  reports.flatMap((report) => (report.kind === 'touching' ? [`${report.gpu ?? 'driver'} ${report.step}`] : []));

describe('the driver process', () => {
  it('touches no GPU that is to be left alone', async (context) => {
    const { fake, child, reports } = await startChild(context);
    fake.write([...cards(2), fake.logLine]);
    child.send({ kind: 'read', id: 1, skip: ['index:0', 'index:1'] });
    await expect.poll(() => touched(reports), soon).toContain('driver idle');
    const calls = await fake.calls();
    expect(calls).toContain('nvmlDeviceGetCount_v2 driver');
    expect(calls.filter((call) => !call.endsWith(' driver'))).toEqual([]);
  });

  it('says which GPU it is about to touch, and then what it read', async (context) => {
    const { child, reports, answers } = await startChild(context);
    child.send({ kind: 'read', id: 7, skip: [] });
    await expect.poll(answers, soon).toMatchObject([
      {
        kind: 'reading',
        id: 7,
        reading: { gpus: [{ uuid: uuidOf(0) }, { uuid: uuidOf(1) }] },
      },
    ]);
    const names = touched(
      reports.slice(
        0,
        reports.findIndex(({ kind }) => kind === 'reading'),
      ),
    );
    expect(names.slice(0, 3)).toEqual(['driver loading the library', 'driver nvmlInit_v2', 'driver versions']);
    expect(names.indexOf(`${uuidOf(0)} sensors`)).toBeGreaterThan(0);
    expect(names.indexOf(`${uuidOf(1)} sensors`)).toBeGreaterThan(names.indexOf(`${uuidOf(0)} sensors`));
  });

  it('has said which GPU it touches when that hangs', async (context) => {
    const { fake, child, reports, answers } = await startChild(context);
    fake.write([...cards(2), 'hang nvmlDeviceGetTemperatureV 1', fake.logLine]);
    child.send({ kind: 'read', id: 1, skip: [] });
    await expect.poll(fake.calls, soon).toContain('nvmlDeviceGetTemperatureV 1');
    await expect.poll(() => touched(reports).at(-1), soon).toBe(`${uuidOf(1)} sensors`);
    expect(answers()).toEqual([]);
  });

  it('takes what the process before it knew: a GPU that does not open keeps its name', async (context) => {
    const { fake, child, answers } = await startChild(context);
    fake.write([...cards(2), 'fail nvmlDeviceGetHandleByIndex_v2 1 15']);
    const memory = { gpus: [{ index: 1, uuid: uuidOf(1) }], counterRestarts: 0 };
    child.send({ kind: 'read', id: 1, skip: [], memory });
    await expect
      .poll(answers, soon)
      .toMatchObject([
        { reading: { gpus: [{ uuid: uuidOf(0) }], failures: [{ uuid: uuidOf(1), reason: 'gpu_is_lost' }] } },
      ]);
  });

  it('answers that the library cannot be had', async (context) => {
    const child = launchChild({ library: { kind: 'library', path: '/nowhere/libnvidia-ml.so.1' }, maxProcesses: 0 });
    endWith(context, child);
    const pipe = child.stdio[4];
    child.send({ kind: 'read', id: 3, skip: [] });
    const lines = createInterface({ input: pipe as NodeJS.ReadableStream });
    const answers: (Report | undefined)[] = [];
    lines.on('line', (line) => answers.push(parseReport(line)));
    await expect
      .poll(() => answers.at(-1), soon)
      .toMatchObject({ kind: 'unavailable', id: 3, reason: 'library_not_found' });
  });

  it('leaves its end to the exporter, whatever the terminal or systemd say', async (context) => {
    const { child, answers } = await startChild(context);
    child.send({ kind: 'read', id: 1, skip: [] });
    await expect.poll(answers, soon).toHaveLength(1);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    child.send({ kind: 'read', id: 2, skip: [] });
    await expect.poll(answers, soon).toHaveLength(2);
  });

  it('ends with a word about it when it is asked for something that does not exist', async (context) => {
    const { child } = await startChild(context);
    let said = '';
    child.stderr?.on('data', (text) => {
      said += text;
    });
    const closed = once(child, 'close');
    child.send({ kind: 'dance', id: 1 });
    expect(await closed).toEqual([1, null]);
    expect(said).toContain('the exporter has asked for something that the driver process does not know');
  });
});

describe('the driver process of an exporter that is gone', () => {
  const script = fileURLToPath(new URL('./source-process.ts', import.meta.url));

  /** An exporter's source in a process of its own, with what it has printed. */
  async function startParent(context: TestContext, rounds?: number) {
    const fake = await buildFakeNvml(context);
    fake.write(cards(2));
    const parent = spawn(process.execPath, [script, fake.path, ...(rounds === undefined ? [] : [String(rounds)])]);
    const lines: string[] = [];
    createInterface({ input: parent.stdout }).on('line', (line) => lines.push(line));
    const pids = () => lines.filter((line) => line.startsWith('process ')).map((line) => Number(line.split(' ')[1]));
    context.onTestFinished(() => {
      parent.kill('SIGKILL');
      for (const pid of pids()) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    });
    await expect.poll(() => lines, soon).toContain('read 2');
    return { fake, parent, lines, pids };
  }

  const hang = async (fake: FakeNvml) => {
    fake.write([...cards(2), 'hang nvmlDeviceGetPowerUsage 1', fake.logLine]);
    await expect.poll(fake.calls, soon).toContain('nvmlDeviceGetPowerUsage 1');
  };

  it('ends when that was killed', async (context) => {
    const { parent, pids } = await startParent(context);
    expect(pids().map(isRunning)).toEqual([true]);
    parent.kill('SIGKILL');
    await expect.poll(() => pids().map(isRunning), soon).toEqual([false]);
  });

  it('ends when that was killed, also while it hangs in the driver', async (context) => {
    const { fake, parent, pids } = await startParent(context);
    await hang(fake);
    parent.kill('SIGKILL');
    await expect.poll(() => pids().filter(isRunning), soon).toEqual([]);
  });

  it('does not keep that from ending by itself', async (context) => {
    const { parent, pids } = await startParent(context, 2);
    expect(await once(parent, 'exit')).toEqual([0, null]);
    await expect.poll(() => pids().filter(isRunning), soon).toEqual([]);
  });
});
