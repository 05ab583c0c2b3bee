import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { initialPresence, observe, type Presence, resumed } from '../../exporter/presence.ts';
import { createPresenceFile } from '../../exporter/presence-file.ts';
import { decodePresence, encodePresence } from '../../exporter/presence-record.ts';
import type { Snapshot } from '../../exporter/snapshot.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

const startMs = 1_767_225_600_000;

function snapshotOf(atMs: number, uuids: readonly string[]): Snapshot {
  const gpus = uuids.map((uuid, index) => ({
    index,
    uuid,
    pciBusId: '00000000:07:00.0',
    modelName: 'A100',
    serial: '7',
  }));
  return { takenAtMs: atMs, driverVersion: '1', gpus, health: { failures: [] }, counterEpoch: 'boot-1' };
}

function seen(presence: Presence, atMs: number, uuids: readonly string[], xids: Snapshot['xids'] = []): Presence {
  return observe(presence, { kind: 'read', atMs, snapshot: { ...snapshotOf(atMs, uuids), xids } });
}

/** A presence that has something in every field. */
const eventful = seen(
  seen(initialPresence, startMs, ['A', 'B']),
  startMs + 1000,
  ['B'],
  [
    { uuid: 'A', code: 79, atMs: startMs + 900 },
    { uuid: undefined, code: 13, atMs: startMs + 901 },
    { uuid: 'B', code: 2 ** 64, atMs: startMs + 902 },
  ],
);

/** A state file with a clock that the test moves and a real log that it reads. */
function openFile(path = join(temporaryDirectory(), 'state.json')) {
  const world = { nowMs: startMs };
  const lines: { level: number; msg: string }[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const file = createPresenceFile({ path, now: () => world.nowMs, log, everyMs: 1000 });
  onTestFinished(() => file.close());
  return { world, path, file, messages: () => lines.map(({ msg }) => msg) };
}

function stored(path: string): Presence | undefined {
  if (!existsSync(path)) return undefined;
  const record = decodePresence(readFileSync(path, 'utf8'));
  if (record.kind === 'unusable') throw new Error(record.problem);
  return record.presence;
}

describe('createPresenceFile', () => {
  it('starts with nothing, and gives the next exporter what this one knew, as unobserved until its first round', async () => {
    const { file, path, messages } = openFile(join(temporaryDirectory(), 'new', 'state.json'));
    expect(await file.load()).toEqual(initialPresence);
    file.save(eventful);
    await file.close();
    expect(messages()).toEqual([]);
    const next = openFile(path);
    expect(await next.file.load()).toEqual(resumed(eventful, startMs));
    expect(next.messages()).toEqual([]);
  });

  it('writes at once what happened, and the mere passing of time every few seconds', async () => {
    const { file, path, world } = openFile();
    await file.load();
    const saved = async (presence: Presence) => {
      file.save(presence);
      await expect.poll(() => stored(path)?.atMs, { interval: 5 }).toBe(presence.atMs);
    };
    const first = seen(initialPresence, startMs, ['A', 'B']);
    await saved(first);
    const later = seen(first, startMs + 500, ['A', 'B']);
    world.nowMs += 999;
    file.save(later);
    const lost = seen(later, startMs + 600, ['A']);
    await saved(lost);
    expect(stored(path)?.gpus.B?.state).toBe('unavailable');
    const quiet = seen(lost, startMs + 700, ['A']);
    file.save(quiet);
    expect(stored(path)?.atMs).toBe(startMs + 600);
    world.nowMs += 1000;
    await saved(quiet);
    const swapped = { ...quiet, gpus: Object.fromEntries(Object.entries(quiet.gpus).filter(([uuid]) => uuid === 'A')) };
    file.save(swapped);
    await expect.poll(() => Object.keys(stored(path)?.gpus ?? {})).toEqual(['A']);
  });

  it('writes what came while it was writing, and at the end what had to wait', async () => {
    const { file, path } = openFile();
    await file.load();
    file.save(eventful);
    const lost = seen(eventful, startMs + 2000, []);
    file.save(lost);
    await expect.poll(() => stored(path)?.atMs).toBe(startMs + 2000);
    file.save(seen(lost, startMs + 3000, []));
    await file.close();
    expect(stored(path)?.atMs).toBe(startMs + 3000);
    file.save(eventful);
    await file.close();
    expect(stored(path)?.atMs).toBe(startMs + 3000);
  });

  const whole = encodePresence(eventful);
  it.each([
    { what: 'nothing', text: '', problem: 'it is not whole JSON' },
    { what: 'a file that was cut short', text: whole.slice(0, -20), problem: 'it is not whole JSON' },
    { what: 'zeros, as a crashed disk leaves them', text: '\0'.repeat(64), problem: 'it is not whole JSON' },
    { what: 'a file of something else', text: '{"version":1}', problem: 'it was not written by this exporter' },
    { what: 'no object', text: 'null', problem: 'it was not written by this exporter' },
    {
      what: 'a file of a later exporter',
      text: whole.replace('"version":1', '"version":2'),
      problem: 'it has version 2, and this exporter reads version 1',
    },
    {
      what: 'a time that runs backwards',
      text: whole.replace('"availableMs":1000', '"availableMs":-1'),
      problem: 'presence.gpus.A.availableMs: Too small: expected number to be >=0',
    },
    {
      what: 'a time that no clock shows',
      text: whole.replace(/"atMs":\d+\}\}$/m, '"atMs":1e999}}'),
      problem: 'presence.atMs: Invalid input: expected number, received Infinity',
    },
    {
      what: 'a GPU under the name of another',
      text: whole.replace('{"A":{', '{"C":{'),
      problem: 'presence: a GPU is listed under the UUID of another',
    },
  ])('moves $what aside, whole, and goes on without', async ({ text, problem }) => {
    const { file, path, messages } = openFile();
    writeFileSync(path, text);
    expect(await file.load()).toEqual(initialPresence);
    const aside = `${path}.damaged-2026-01-01T00-00-00.000Z`;
    expect(messages()).toEqual([
      `the state file is of no use: ${problem}. It was moved to ${aside}; the exporter starts without memory`,
    ]);
    expect(readFileSync(aside, 'utf8')).toBe(text);
    file.save(eventful);
    await file.close();
    expect([stored(path), file.isUp()]).toEqual([eventful, true]);
  });

  it('does not even read a file that is far too large', async () => {
    const { file, path, messages } = openFile();
    writeFileSync(path, '');
    truncateSync(path, 16 * 2 ** 20 + 1);
    expect(await file.load()).toEqual(initialPresence);
    expect(messages()).toEqual([expect.stringContaining('it is larger than 16777216 bytes. It was moved to')]);
  });

  it('leaves alone what is no file, and remembers nothing', async () => {
    const path = join(temporaryDirectory(), 'state.json');
    mkdirSync(path);
    const { file, messages } = openFile(path);
    expect(await file.load()).toEqual(initialPresence);
    file.save(eventful);
    await file.close();
    expect(messages()).toEqual([`nothing is remembered across restarts: ${path} is not a file`]);
    expect([readdirSync(path), file.isUp()]).toEqual([[], false]);
  });

  it('goes on when the disk is full, saying so once, and writes again when it can', async ({ skip }) => {
    if (!existsSync('/dev/full')) return skip('this system has no /dev/full');
    const { file, path, world, messages } = openFile();
    await file.load();
    file.save(seen(initialPresence, startMs, ['A']));
    await expect.poll(() => stored(path)?.atMs).toBe(startMs);
    const temporary = `${path}.tmp`;
    symlinkSync('/dev/full', temporary);
    file.save(eventful);
    await expect.poll(() => file.isUp()).toBe(false);
    // The pause after a failure: not even news is tried.
    file.save(seen(eventful, startMs + 2000, []));
    symlinkSync('/dev/full', temporary);
    world.nowMs += 1000;
    file.save(eventful);
    await expect.poll(() => existsSync(temporary)).toBe(false);
    expect([stored(path)?.atMs, file.isUp()]).toEqual([startMs, false]);
    world.nowMs += 1000;
    file.save(eventful);
    await expect.poll(() => file.isUp()).toBe(true);
    expect(stored(path)).toEqual(eventful);
    expect(messages()).toEqual([
      'the state file cannot be written; this is tried again',
      'the state file can be written again',
    ]);
  });

  it('goes on where nothing can be made', async ({ skip }) => {
    if (!existsSync('/proc/self')) return skip('this system has no /proc');
    const { file, messages } = openFile('/proc/gpu-uptime/state.json');
    expect(await file.load()).toEqual(initialPresence);
    file.save(eventful);
    await file.close();
    expect([messages(), file.isUp()]).toEqual([['the state file cannot be written; this is tried again'], false]);
  });
});

describe('decodePresence', () => {
  it('reads back what was written, and names anything else as unusable instead of failing', () => {
    const text = encodePresence(eventful);
    expect(decodePresence(text)).toEqual({ kind: 'presence', presence: eventful });
    const damage = fc.record({
      at: fc.nat({ max: text.length }),
      gone: fc.nat({ max: 40 }),
      put: fc.string({ maxLength: 8 }),
    });
    fc.assert(
      fc.property(damage, ({ at, gone, put }) => {
        const record = decodePresence(text.slice(0, at) + put + text.slice(at + gone));
        if (record.kind === 'presence')
          encodePresence(observe(record.presence, { kind: 'failed', atMs: startMs + 5000 }));
        else expect(record.problem).not.toBe('');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a reason that a later exporter wrote', () => {
  it('is an error to this one, whose time is not lost', () => {
    const later = encodePresence(eventful)
      .replaceAll('"reason":"missing"', '"reason":"melted"')
      .replace('"unavailableMs":{"missing":0,', '"unavailableMs":{"melted":7,"missing":0,');
    const lost = seen(seen(initialPresence, startMs, ['A', 'B']), startMs + 1000, ['B']);
    const record = decodePresence(later);
    if (record.kind === 'unusable') throw new Error(record.problem);
    const { gpus, events } = record.presence;
    expect(gpus.A).toMatchObject({ state: 'unavailable', reason: 'error' });
    expect(gpus.A?.unavailableMs).toEqual({ ...lost.gpus.A?.unavailableMs, error: 7 });
    expect(events.find(({ kind }) => kind === 'lost')).toMatchObject({ uuid: 'A', reason: 'error' });
  });
});

describe('two exporters on one state file', () => {
  it('the second says so and leaves the file to the first, until that has ended', async () => {
    const first = openFile();
    await first.file.load();
    first.file.save(eventful);
    await expect.poll(() => stored(first.path)).toEqual(eventful);
    const second = openFile(first.path);
    expect(await second.file.load()).toEqual(initialPresence);
    second.file.save(seen(initialPresence, startMs, ['Z']));
    await second.file.close();
    expect(second.file.isUp()).toBe(false);
    expect(second.messages()).toEqual([
      `nothing is remembered across restarts: another exporter keeps its state in ${first.path}: give each exporter a state file of its own`,
    ]);
    await first.file.close();
    expect(await openFile(first.path).file.load()).toEqual(resumed(eventful, startMs));
  });

  it('a process that was killed leaves a whole file and no lock', async () => {
    const path = join(temporaryDirectory(), 'state.json');
    for (let round = 0; round < 3; round++) {
      const child = await writerProcess(path);
      const meanwhile = openFile(path);
      await meanwhile.file.load();
      expect(meanwhile.file.isUp()).toBe(false);
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(Object.keys(stored(path)?.gpus ?? {})).toHaveLength(500);
    }
    const { file, messages } = openFile(path);
    expect(Object.keys((await file.load()).gpus)).toHaveLength(500);
    expect(messages()).toEqual([]);
  });
});

/** A process that writes a large state over and over; resolves when it has written once. */
async function writerProcess(path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve('./state-writer.ts')), path]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
  return child;
}
