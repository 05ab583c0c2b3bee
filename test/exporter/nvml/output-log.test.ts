import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createOutputLog, createRecordingLog } from '../../../exporter/source/nvml/output-log.ts';

/** The exporter's log, and the keys of each line as they are written: JSON.parse would hide one that comes twice. */
function logOf() {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const keys = () => lines.map((line) => [...line.matchAll(/[{,]"(\w+)":/g)].map(([, key]) => key));
  const messages = () => lines.map((line) => JSON.parse(line).msg);
  return { log, keys, messages, lines };
}

describe('createOutputLog', () => {
  it('names the driver process without hiding the exporter', () => {
    const { log, keys, lines } = logOf();
    createOutputLog(log, () => 0)(41, 'oh no');
    expect(keys()).toEqual([['level', 'time', 'pid', 'hostname', 'driverPid', 'line', 'msg']]);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ pid: process.pid, driverPid: 41, line: 'oh no' });
  });

  it('says that it drops the rest, by which process', () => {
    const { log, keys, messages } = logOf();
    const print = createOutputLog(log, () => 0);
    for (let line = 0; line < 30; line += 1) print(41, 'oh no');
    expect(messages().slice(19)).toEqual([
      'a driver process has printed',
      'driver processes print more than is logged',
    ]);
    expect(keys().at(-1)).toEqual(['level', 'time', 'pid', 'hostname', 'driverPid', 'msg']);
  });
});

describe('createRecordingLog', () => {
  it('says each end once, however many processes come to it', () => {
    const { log, messages } = logOf();
    const end = createRecordingLog(log);
    end(41, 'ENOSPC: no space left on device, write');
    end(42, 'ENOSPC: no space left on device, write');
    end(43, 'it has reached 64 MiB');
    expect(messages()).toEqual([
      'the recording has ended: ENOSPC: no space left on device, write',
      'the recording has ended: it has reached 64 MiB',
    ]);
  });
});
