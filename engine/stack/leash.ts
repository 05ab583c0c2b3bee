/**
 * Preloaded into our own parts (`node --import leash.ts main.ts`): the launcher holds the other end of stdin, so that its
 * end, even by kill -9, ends the part as well.
 */
const GRACE_MS = 5_000;

function end(): void {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), GRACE_MS).unref();
}

process.stdin.once('close', end).resume().unref();
