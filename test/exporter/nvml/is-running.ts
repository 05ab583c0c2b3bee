import { readFileSync } from 'node:fs';
import { isAlive } from '../../servers/process-alive.ts';

/** False also for a process that has ended and waits for its new parent to notice, which some machines' first process is slow to do. */
export function isRunning(pid: number): boolean {
  return isAlive(pid) && !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
