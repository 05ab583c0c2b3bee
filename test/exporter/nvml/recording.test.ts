import fc from 'fast-check';
import { describe, expect, it, type TestContext } from 'vitest';
import { openNvml } from '../../../exporter/source/nvml/library.ts';
import { decode, encode, recordingLibrary } from '../../../exporter/source/nvml/recording.ts';
import { parseRecording } from '../../../exporter/source/nvml/recording-file.ts';
import { replayLibrary } from '../../../exporter/source/nvml/replay.ts';
import { card, driver, h200, plainCard, uuidOf } from './cards.ts';
import { buildFakeNvml } from './fake-nvml.ts';
import { readerOver } from './fake-reader.ts';

const startMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const gib = 2 ** 30;

/** Rounds of a machine with a busy GPU, one in MIG mode, and one that is lost and found. */
const calm = [
  ...driver(3),
  ...card(0, h200),
  ...plainCard(1, { mig: 1, migPending: 1, 'mig.max': 7, 'mig.3': '1/3' }),
  ...card('1/3', {
    uuid: 'MIG-3',
    gi: 4,
    ci: 0,
    slices: 1,
    computeSlices: 1,
    memorySizeMB: 9728,
    sms: 14,
    'memory.total': gib,
  }),
  ...plainCard(2, { energy: '0xffffffffffffffff', gpm: 1, 'gpm.1': 'nan' }),
  `process 0 compute 11 ${gib}`,
  'process 0 graphics 12 na',
];
const busier = [...calm, ...card(0, { 'field.138.4294967295': '3:9000000' })].filter(
  (line) => !line.includes('5000000'),
);
const rounds = [calm, busier, [...calm, 'fail * 2 15'], [...calm, 'expire 1 2'], calm, busier];

interface Played {
  readonly text: string;
  readonly readings: readonly unknown[];
}

async function record(context: TestContext): Promise<Played> {
  const fake = await buildFakeNvml(context);
  const lines: string[] = [];
  const library = recordingLibrary(openNvml(fake.path), { write: (line) => lines.push(line), now: () => startMs });
  const { read, advance, reader } = readerOver(context, library, { maxProcesses: 5 });
  const readings = rounds.map((scenario) => {
    fake.write(scenario);
    advance(1000);
    return read();
  });
  reader.close();
  return { text: lines.join(''), readings };
}

const replay = (text: string) => replayLibrary(text, { file: 'node7.jsonl', now: () => 0 });

describe('a recording', () => {
  it('gives the same readings when it is replayed', async (context) => {
    const { text, readings } = await record(context);
    const { read, advance } = readerOver(context, replay(text), { maxProcesses: 5 });
    const replayed = rounds.map(() => {
      advance(1000);
      return read();
    });
    expect(replayed).toEqual(readings);
    expect(replayed.map(({ gpus, failures, session }) => [gpus.length, failures.length, session])).toEqual([
      [3, 0, 1],
      [3, 0, 1],
      [2, 1, 1],
      [3, 0, 2],
      [3, 0, 2],
      [3, 0, 2],
    ]);
  });

  it('begins with its format, the driver and the date', async (context) => {
    const { text } = await record(context);
    const [header = '', first = ''] = text.split('\n');
    expect(JSON.parse(header)).toEqual({
      format: 'gpu-uptime NVML recording',
      version: 1,
      driver: '570.86.15',
      date: '2026-01-02T03:04:05.000Z',
    });
    expect(JSON.parse(first)).toEqual({ round: 0, call: 'nvmlInit_v2', args: [], code: 0, value: true });
  });

  it('holds its last round', async (context) => {
    const { text, readings } = await record(context);
    const { read, advance } = readerOver(context, replay(text), { maxProcesses: 5 });
    const replayed = Array.from({ length: rounds.length + 3 }, () => {
      advance(1000);
      return read();
    });
    const last = readings.at(-1) as (typeof replayed)[number];
    expect(replayed.at(-1)).toEqual({
      ...last,
      gpus: last.gpus.map((gpu) => (gpu.uuid === uuidOf(0) ? { ...gpu, nvlinkMegabytesPerSecond: 0 } : gpu)),
    });
  });

  it('that a second process went on with goes on in the replay', async (context) => {
    const [one, two] = [await record(context), await record(context)];
    const { read } = readerOver(context, replay(one.text + two.text));
    const counts = Array.from({ length: 2 * rounds.length }, () => read().gpus.length);
    expect(counts).toEqual([3, 3, 2, 3, 3, 3, 3, 3, 2, 3, 3, 3]);
  });

  it('of an older exporter answers what it has, and nothing else', async (context) => {
    const { text } = await record(context);
    const older = text
      .split('\n')
      .filter((line) => !line.includes('"nvmlDeviceGetFanSpeed"'))
      .map((line) => line.replace(/\{"fieldId":186,[^}]*\},?/g, ''))
      .join('\n');
    const [gpu] = readerOver(context, replay(older)).read().gpus;
    expect(gpu).toMatchObject({ memoryTemperatureCelsius: 61, powerWatts: 412.345 });
    expect(gpu).not.toHaveProperty('fanSpeedPercent');
    expect(gpu).not.toHaveProperty('instantPowerWatts');
  });
});

describe('events', () => {
  it('come again after as long as they took', async (context) => {
    const fake = await buildFakeNvml(context);
    const cards = [...driver(1), ...plainCard(0, { events: 8 })];
    fake.write(cards);
    const lines: string[] = [];
    let nowMs = startMs;
    const library = recordingLibrary(openNvml(fake.path), { write: (line) => lines.push(line), now: () => nowMs });
    library.call('nvmlInit_v2');
    library.call('nvmlDeviceGetCount_v2');
    const device = library.call('nvmlDeviceGetHandleByIndex_v2', 0).value ?? 0n;
    const set = library.call('nvmlEventSetCreate').value ?? 0n;
    library.call('nvmlDeviceRegisterEvents', device, 8, set);
    await library.waitForEvent(set, 0);
    fake.write([...cards, 'event 1 0 8 79']);
    nowMs += 60_000;
    const recorded = await library.waitForEvent(set, 1000);

    let elapsedMs = 0;
    const replayed = replayLibrary(lines.join(''), { file: 'node7.jsonl', now: () => elapsedMs });
    elapsedMs = 59_000;
    expect(await replayed.waitForEvent(set, 0)).toEqual({ code: 10, value: undefined });
    elapsedMs = 60_000;
    expect(await replayed.waitForEvent(set, 0)).toEqual(recorded);
    expect(recorded.value).toMatchObject({ device, eventData: 79 });
    expect(await replayed.waitForEvent(set, 0)).toEqual({ code: 10, value: undefined });
  });
});

describe('a recording that was cut off', () => {
  it('anywhere in its last line is replayed without that line, and says so', async (context) => {
    const { text } = await record(context);
    const lines = text.trimEnd().split('\n');
    const whole = lines.slice(0, -1).join('\n');
    const last = lines.at(-1) ?? '';
    const { rounds: kept, events } = parseRecording(`${whole}\n`, 'node7.jsonl');
    for (let length = 1; length < last.length; length += 1) {
      expect(parseRecording(`${whole}\n${last.slice(0, length)}`, 'node7.jsonl')).toEqual({
        rounds: kept,
        events,
        warning: `node7.jsonl:${lines.length}: this line was cut off and is left out; the recording is replayed up to it.`,
      });
    }
    expect(readerOver(context, replay(`${whole}\n${last.slice(0, 9)}`)).read().gpus).toHaveLength(3);
  });

  it('behind its last line says nothing', async (context) => {
    const { text } = await record(context);
    expect(parseRecording(text, 'node7.jsonl').warning).toBeUndefined();
    expect(parseRecording(text.trimEnd(), 'node7.jsonl')).toEqual(parseRecording(text, 'node7.jsonl'));
  });
});

describe('a file that is no recording', () => {
  const header = '{"format":"gpu-uptime NVML recording","version":1,"driver":null,"date":"2026-01-02T03:04:05.000Z"}';
  const count = '{"round":1,"call":"nvmlDeviceGetCount_v2","args":[],"code":0,"value":1}';

  const notOne =
    'node7.jsonl:1: this is not a recording of NVML: the file does not begin with the header of one. Name a file that was written with NVML_RECORD_FILE.';

  it.for([
    ['', notOne],
    ['root:x:0:0:root:/root:/bin/sh\n', notOne],
    [count.slice(0, 30), notOne],
    ['{"format":"something else"}\n', notOne],
    [
      '{"format":"gpu-uptime NVML recording","version":2}\n',
      'node7.jsonl:1: The recording has format version 2, and this exporter reads version 1. Record again with NVML_RECORD_FILE.',
    ],
    [`${header}\n`, 'node7.jsonl:1: the recording ends before its first round. Record again with NVML_RECORD_FILE.'],
    [
      `${header}\n${count.slice(0, 30)}`,
      'node7.jsonl:1: the recording ends before its first round. Record again with NVML_RECORD_FILE.',
    ],
    [
      `${header}\n${count}\n${count.slice(0, 30)}\n${count}\n`,
      'node7.jsonl:3: this line is damaged. Remove it, or record again.',
    ],
    [
      `${header}\n${count}\n${count.slice(0, 30)}\n`,
      'node7.jsonl:3: this line is damaged. Remove it, or record again.',
    ],
    [
      `${header}\n${count}\n{"round":-1,"call":"nvmlInit_v2","args":[],"code":0,"value":true}\n`,
      'node7.jsonl:3: this is neither an answer nor an event. Record again with NVML_RECORD_FILE.',
    ],
    [
      `${header}\n${count}\n${count.replace('1', '3')}\n`,
      'node7.jsonl:3: this is neither an answer nor an event. Record again with NVML_RECORD_FILE.',
    ],
    [
      `${header}\n{"round":1,"call":"nvmlDeviceGetCount_v2","args":[],"code":"0"}\n`,
      'node7.jsonl:2: this is neither an answer nor an event. Record again with NVML_RECORD_FILE.',
    ],
  ])('is refused by line: %j', ([text = '', message]) => {
    expect(() => replay(text)).toThrow(new Error(message));
  });

  it('is refused by line whatever it holds', () => {
    const line = fc.oneof(fc.string(), fc.json(), fc.constantFrom(count, count.slice(0, 30), '{"atMs":1,"event":{}}'));
    const text = fc
      .tuple(fc.constantFrom(header, '', '{}'), fc.array(line))
      .map(([first, rest]) => [first, ...rest].join('\n'));
    fc.assert(
      fc.property(text, (candidate) => {
        try {
          replay(candidate);
        } catch (error) {
          expect(String(error)).toMatch(/^Error: node7\.jsonl:\d+: /);
        }
      }),
    );
  });
});

describe('encode', () => {
  it('is undone by decode, handles of 64 bits included', () => {
    const part = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
    );
    const value = fc.dictionary(fc.constantFrom('device', 'value', 'name'), fc.oneof(part, fc.array(part)));
    fc.assert(
      fc.property(value, (original) => {
        expect(decode(encode(original))).toEqual(withoutMinusZero(original));
      }),
    );
  });
});

// JSON writes -0 as 0.
function withoutMinusZero(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMinusZero);
  if (typeof value === 'number') return value + 0;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutMinusZero(part)]));
}
