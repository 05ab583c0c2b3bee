/** What driver processes print: passed on to the log, but never more than a little, whatever a library or a crash loop writes. */

import type { Logger } from 'pino';

export type Log = Pick<Logger, 'info' | 'warn' | 'error'>;

const mostLines = 20;
const periodMs = 600_000;

/** Passes on the first lines of each period, and says once that the rest is dropped. */
export function createOutputLog(log: Log, now: () => number): (pid: number | undefined, line: string) => void {
  let periodEndsMs = Number.NEGATIVE_INFINITY;
  let lines = 0;
  return (pid, line) => {
    if (now() >= periodEndsMs) {
      periodEndsMs = now() + periodMs;
      lines = 0;
    }
    lines += 1;
    if (lines <= mostLines) log.warn({ pid, line }, 'a driver process has printed');
    if (lines === mostLines + 1) log.warn({ pid }, 'driver processes print more than is logged');
  };
}
