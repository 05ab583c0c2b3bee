/** What driver processes print, and how their recordings end: passed on to the log, but never more than a little, whatever a library or a crash loop writes. */

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
    if (lines <= mostLines) log.warn({ driverPid: pid, line }, 'a driver process has printed');
    if (lines === mostLines + 1) log.warn({ driverPid: pid }, 'driver processes print more than is logged');
  };
}

/** Says that a recording has ended; one that ends as the one before it did is no news. */
export function createRecordingLog(log: Log): (pid: number | undefined, why: string) => void {
  let lastWhy: string | undefined;
  return (pid, why) => {
    if (why !== lastWhy) log.warn({ driverPid: pid }, `the recording has ended: ${why}`);
    lastWhy = why;
  };
}
