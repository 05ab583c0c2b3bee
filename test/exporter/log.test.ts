import { Writable } from 'node:stream';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { textLines } from '../../exporter/log.ts';

function linesOf(write: (log: pino.Logger) => void): readonly string[] {
  const written: string[] = [];
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      written.push(String(chunk));
      done();
    },
  });
  write(pino({ timestamp: () => ',"time":1767225600000' }, textLines(output)));
  return written.join('').trimEnd().split('\n');
}

describe('the log as text', () => {
  it('has time, level and message first, then the fields, quoted where they need it', () => {
    const lines = linesOf((log) => {
      log.info({ port: 9400, address: '127.0.0.1' }, 'listening');
      log.warn({ reason: 'a "wedged" driver', gpus: ['a', 'b'] }, 'stop');
    });
    expect(lines).toEqual([
      'time=2026-01-01T00:00:00.000Z level=info msg=listening port=9400 address=127.0.0.1',
      'time=2026-01-01T00:00:00.000Z level=warn msg=stop reason="a \\"wedged\\" driver" gpus="[\\"a\\",\\"b\\"]"',
    ]);
  });

  it('keeps one event on one line', () => {
    expect(linesOf((log) => log.info({ text: 'two\nlines' }, 'x'))).toHaveLength(1);
  });
});
