/** The exporter's log: JSON lines through pino, or the same fields as `key=value` text. */

import type { Writable } from 'node:stream';
import pino, { type DestinationStream, type Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  readonly format: 'json' | 'text';
}

/** Writes to stdout. */
export function createLog({ level, format }: LogOptions): Logger {
  return format === 'json' ? pino({ level }) : pino({ level }, textLines(process.stdout));
}

/** A destination that turns each JSON line into `time=… level=info msg="…" key=value`, in the order of the fields. */
export function textLines(output: Writable): DestinationStream {
  return { write: (line) => void output.write(`${textOf(line)}\n`) };
}

function textOf(line: string): string {
  const { time, level, msg, pid: _pid, hostname: _hostname, ...rest } = JSON.parse(line);
  const fields = { time: new Date(time).toISOString(), level: pino.levels.labels[level] ?? level, msg, ...rest };
  return Object.entries(fields)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${quote(value)}`]))
    .join(' ');
}

// Quoted as Go's log/slog does: only where a reader could not tell the end of the value.
function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"=\\]+$/.test(text) ? text : JSON.stringify(text);
}
