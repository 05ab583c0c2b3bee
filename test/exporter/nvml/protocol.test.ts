import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createLineCutter,
  parseChildOptions,
  parseEvent,
  parseReport,
  parseRequest,
} from '../../../exporter/source/nvml/protocol.ts';

const reading = {
  driverVersion: '570.86.15',
  nvmlVersion: undefined,
  gpus: [{ index: 0, uuid: 'GPU-a', pciBusId: '', modelName: 'NVIDIA L4' }],
  failures: [],
  callErrors: [],
  counterEpoch: undefined,
  memory: { gpus: [{ index: 0, uuid: 'GPU-a' }], counterRestarts: 0 },
  session: 1,
  unavailable: undefined,
  needsNewProcess: false,
};

describe('parseReport', () => {
  it.each([
    [{ kind: 'touching', gpu: 'GPU-a', step: 'sensors' }],
    [{ kind: 'touching', step: 'nvmlInit_v2' }],
    [{ kind: 'reading', id: 1, reading }],
    [{ kind: 'met', identity: { index: 0, uuid: 'GPU-a', pciBusId: '', modelName: 'NVIDIA L4' } }],
    [{ kind: 'support', id: 2, support: { gpus: [] } }],
    [{ kind: 'unavailable', id: 3, reason: 'library_not_found', message: 'There is none.' }],
  ])('understands %j', (report) => {
    expect(parseReport(JSON.stringify(report))).toEqual(report);
  });

  it.each([
    ['nothing', ''],
    ['half a line', '{"kind":"touching","st'],
    ['a number', '7'],
    ['a list', '[]'],
    ['a stranger', '{"kind":"hello","id":1}'],
    ['a GPU without a name', '{"kind":"touching","gpu":7,"step":"sensors"}'],
    ['somebody without a name', '{"kind":"met","identity":{"index":0}}'],
    ['an answer to nothing', JSON.stringify({ kind: 'reading', reading })],
    ['a reading without GPUs', JSON.stringify({ kind: 'reading', id: 1, reading: { ...reading, gpus: null } })],
    ['a GPU that is none', JSON.stringify({ kind: 'reading', id: 1, reading: { ...reading, gpus: [7] } })],
    ['a reason that is missing', '{"kind":"unavailable","id":3,"message":"There is none."}'],
  ])('passes over %s', (_what, line) => {
    expect(parseReport(line)).toBeUndefined();
  });

  it('never throws', () => {
    assert(property(string(), (line) => void parseReport(line)));
  });
});

describe('parseEvent', () => {
  it.each([
    [{ kind: 'xid', uuid: 'GPU-a', code: 79 }],
    [{ kind: 'xid', code: 79 }],
    [{ kind: 'watch', state: 'watching', uuids: ['GPU-a'] }],
    [{ kind: 'watch', state: 'down', uuids: [] }],
    [{ kind: 'recording_ended', why: 'it has reached 64 MiB' }],
  ])('understands %j', (event) => {
    expect(parseEvent(event)).toEqual(event);
  });

  it.each([
    [undefined],
    ['xid'],
    [{ kind: 'xid' }],
    [{ kind: 'watch', state: 'asleep', uuids: [] }],
    [{ kind: 'watch', state: 'down', uuids: [7] }],
    [{ kind: 'recording_ended' }],
  ])('passes over %j', (value) => {
    expect(parseEvent(value)).toBeUndefined();
  });
});

describe('parseRequest', () => {
  it.each([
    [{ kind: 'read', id: 1, skip: ['GPU-a', 'index:3'] }],
    [{ kind: 'read', id: 1, skip: [], memory: reading.memory }],
    [{ kind: 'examine', id: 2 }],
  ])('understands %j', (request) => {
    expect(parseRequest(request)).toEqual(request);
  });

  it.each([[undefined], [{ kind: 'read', id: 1 }], [{ kind: 'read', skip: [] }], [{ kind: 'read', id: 1, skip: [7] }]])(
    'refuses %j',
    (value) => {
      expect(() => parseRequest(value)).toThrow('something that the driver process does not know');
    },
  );
});

describe('parseChildOptions', () => {
  it.each([
    [{ library: { kind: 'library' }, maxProcesses: 0 }],
    [{ library: { kind: 'library', path: '/usr/lib/libnvidia-ml.so.1', record: 'answers.ndjson' }, maxProcesses: 10 }],
    [{ library: { kind: 'replay', file: 'answers.ndjson' }, maxProcesses: 0 }],
  ])('understands %j', (options) => {
    expect(parseChildOptions(JSON.stringify(options))).toEqual(options);
  });

  it.each([
    [undefined],
    ['{}'],
    ['{"library":{"kind":"replay"},"maxProcesses":0}'],
    ['{"library":{"kind":"library"}}'],
  ])('refuses %j', (text) => {
    expect(() => parseChildOptions(text)).toThrow('the driver process is started by the exporter');
  });
});

describe('createLineCutter', () => {
  const cut = (pieces: readonly string[], maxLength = 100) => {
    const lines: string[] = [];
    const take = createLineCutter(maxLength, (line) => lines.push(line));
    for (const piece of pieces) take(piece);
    return lines;
  };

  it('gives complete lines, whatever pieces they come in', () => {
    expect(cut(['a', 'b\nc', '\n\nd\ne'])).toEqual(['ab', 'c', '', 'd']);
  });

  it('cuts lines that are too long, and keeps no more of one that does not end', () => {
    expect(cut(['123456', '789\n12345\n'], 5)).toEqual(['12345', '12345']);
  });

  it('gives the same lines for any way of cutting', () => {
    assert(
      property(string(), string(), (one, other) => {
        expect(cut([one, other], 1_000)).toEqual(cut([one + other], 1_000));
      }),
    );
  });
});
