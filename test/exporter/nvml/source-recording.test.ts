import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import type { Snapshot } from '../../../exporter/snapshot.ts';
import type { Launch } from '../../../exporter/source/nvml/driver-process.ts';
import type { ChildOptions, LibraryChoice } from '../../../exporter/source/nvml/protocol.ts';
import { createNvmlSource, standardLimits } from '../../../exporter/source/nvml/source.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { card, driver, h200, uuidOf } from './cards.ts';
import { buildFakeNvml } from './fake-nvml.ts';
import { cards, soon } from './nvml-source.ts';

const childEntry = fileURLToPath(new URL('../../../exporter/source/nvml/child.ts', import.meta.url));

/** A source over any library, and what it logs. */
function open(context: TestContext, library: LibraryChoice, launch?: Launch) {
  const logged: string[] = [];
  const note = (fields: unknown, message?: string) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log = { info: note, warn: note, error: note };
  const limits = { ...standardLimits, gpuMs: 5_000 };
  const source = createNvmlSource({ library, maxProcesses: 0, limits }, { now: () => 1_000_000, log, launch });
  context.onTestFinished(() => source.close());
  return { source, logged, read: () => source.read(new AbortController().signal) };
}

/** A driver process whose files end at 32 KiB, as on a disk that is full then. */
function launchInLittleRoom(options: ChildOptions): ChildProcess {
  const script = 'ulimit -f 64; exec "$0" "$@"';
  return spawn('sh', ['-c', script, process.execPath, childEntry, JSON.stringify(options)], {
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
  });
}

/** What does not hang on which load of which driver it is. */
const content = ({ gpus, driverVersion, health }: Snapshot) => ({ gpus, driverVersion, failures: health.failures });

describe('recording', () => {
  it('is replayed as the same readings, round by round', async (context) => {
    const { path, write } = await buildFakeNvml(context);
    const file = join(temporaryDirectory(), 'answers.ndjson');
    const recorded = open(context, { kind: 'library', path, record: file });
    const said: Snapshot[] = [];
    for (const temperature of [41, 52, 63]) {
      write([...driver(1), ...card(0, { ...h200, temperatureV: temperature, events: '0x1f' })]);
      said.push(await recorded.read());
    }
    await recorded.source.close();
    const replayed = open(context, { kind: 'replay', file });
    const heard = [await replayed.read(), await replayed.read(), await replayed.read()];
    expect(heard.map(({ gpus }) => gpus[0]?.gpuTemperatureCelsius)).toEqual([41, 52, 63]);
    expect(content(heard[0] as Snapshot)).toEqual(content(said[0] as Snapshot));
    expect(recorded.logged).toEqual([]);
  });

  it('keeps the XIDs', async (context) => {
    const { path, write } = await buildFakeNvml(context);
    const file = join(temporaryDirectory(), 'answers.ndjson');
    write(cards(2));
    const recorded = open(context, { kind: 'library', path, record: file });
    await recorded.read();
    await expect.poll(() => recorded.source.status?.().xidWatch, soon).toBe('watching');
    write([...cards(2), 'event 1 1 8 79']);
    await expect.poll(async () => (await recorded.read()).xids, soon).toHaveLength(1);
    await recorded.source.close();
    const replayed = open(context, { kind: 'replay', file });
    await expect
      .poll(async () => (await replayed.read()).xids?.map(({ uuid, code }) => [uuid, code]), soon)
      .toEqual([[uuidOf(1), 79]]);
  });

  it('overwrites nothing: each driver process has a file of its own', async (context) => {
    const { path, write } = await buildFakeNvml(context);
    const file = join(temporaryDirectory(), 'answers.ndjson');
    await writeFile(file, 'mine');
    write(cards(1));
    const { read } = open(context, { kind: 'library', path, record: file });
    await read();
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect(await readFile(`${file}.2`, 'utf8')).toContain('gpu-uptime NVML recording');
  });

  it('that cannot be written is said, and costs no reading', async (context) => {
    const { path, write } = await buildFakeNvml(context);
    write(cards(1));
    const { read, logged } = open(context, { kind: 'library', path, record: '/nowhere/answers.ndjson' });
    expect((await read()).gpus).toHaveLength(1);
    await expect
      .poll(() => logged, soon)
      .toEqual([expect.stringContaining('the recording has ended: /nowhere/answers.ndjson cannot be written: ENOENT')]);
    expect(existsSync('/nowhere')).toBe(false);
  });

  it('that finds no more room is said once, costs no reading, and is replayed as far as it goes', async (context) => {
    const { path, write } = await buildFakeNvml(context);
    const file = join(temporaryDirectory(), 'answers.ndjson');
    write(cards(1));
    const { source, read, logged } = open(context, { kind: 'library', path, record: file }, launchInLittleRoom);
    await expect.poll(async () => [(await read()).gpus.length, ...logged], soon).toHaveLength(2);
    for (let round = 0; round < 3; round += 1) expect((await read()).gpus).toHaveLength(1);
    expect(logged).toEqual([
      expect.stringMatching(/^the recording has ended: EFBIG: file too large, write \{"driverPid":\d+\}$/),
    ]);
    await source.close();
    expect(await readFile(file, 'utf8')).not.toMatch(/\n$/);
    const replayed = open(context, { kind: 'replay', file });
    expect((await replayed.read()).gpus).toHaveLength(1);
  });
});

describe('replaying', () => {
  it('says which file cannot be read', async (context) => {
    const { read } = open(context, { kind: 'replay', file: '/nowhere/answers.ndjson' });
    await expect(read()).rejects.toThrow('The recording /nowhere/answers.ndjson cannot be read: ENOENT');
  });

  it('says what is no recording, and where', async (context) => {
    const file = join(temporaryDirectory(), 'answers.ndjson');
    await writeFile(file, '{"hello":"world"}\n');
    const { read } = open(context, { kind: 'replay', file });
    await expect(read()).rejects.toThrow(`${file}:1: this is not a recording of NVML`);
  });
});
