/**
 * What the exporter remembers across restarts, in one file. News is written at once, the passing of time every few seconds.
 * An exporter that is killed leaves at most those seconds unwritten; to the next one they are unobserved. A file that cannot be used
 * costs the memory, never the exporter.
 */

import type { Logger } from 'pino';
import { initialPresence, type Presence, resumed } from './presence.ts';
import { createPresenceStorage } from './presence-storage.ts';

export interface PresenceFile {
  /** What an earlier exporter knew, or the initial presence. Never rejects; called once, before the first `save`. */
  load(): Promise<Presence>;
  /** Called after every round: writes in the background when something has happened or enough time has passed. */
  save(presence: Presence): void;
  /** Whether what is known now would survive a restart. */
  isUp(): boolean;
  /** Writes what is not written yet, and lets another exporter have the file; what is saved later is ignored. Never rejects. */
  close(): Promise<void>;
}

export interface PresenceFileOptions {
  /** Its directory is made where there is none, but not the one above that. A lock file lies beside it, with `.lock` after its name. */
  readonly path: string;
  readonly now: () => number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** How often the file is written while nothing happens, and the pause after a failure. */
  readonly everyMs?: number;
}

/** Touches no disk before `load`. */
export function createPresenceFile({ path, now, log, everyMs = 15_000 }: PresenceFileOptions): PresenceFile {
  const storage = createPresenceStorage(path);
  let latest: Presence | undefined;
  let written: Presence | undefined;
  let attemptedMs = Number.NEGATIVE_INFINITY;
  let health: 'up' | 'failing' | 'unusable' = 'up';
  let writing: Promise<void> | undefined;
  let isClosed = false;

  async function load(): Promise<Presence> {
    const loaded = await storage.load(now());
    if (loaded.kind === 'unusable') {
      health = 'unusable';
      log.warn({ path }, `nothing is remembered across restarts: ${loaded.problem}`);
      return initialPresence;
    }
    if (loaded.warning !== undefined) log.warn({ path }, loaded.warning);
    return loaded.presence === undefined ? initialPresence : resumed(loaded.presence, now());
  }

  function save(presence: Presence): void {
    if (isClosed) return;
    latest = presence;
    if (health !== 'unusable' && writing === undefined && isDue(presence)) begin(presence);
  }

  function isDue(presence: Presence): boolean {
    const isTime = Math.abs(now() - attemptedMs) >= everyMs;
    return isTime || (health === 'up' && isNews(written, presence));
  }

  // What is saved meanwhile is judged when the write is over.
  function begin(presence: Presence): void {
    attemptedMs = now();
    writing = write(presence).finally(() => {
      writing = undefined;
      if (latest !== undefined && latest !== presence) save(latest);
    });
  }

  async function write(presence: Presence): Promise<void> {
    try {
      await storage.write(presence);
      written = presence;
      if (health === 'failing') log.info({ path }, 'the state file can be written again');
      health = 'up';
    } catch (error) {
      if (health === 'up') log.warn({ path, err: error }, 'the state file cannot be written; this is tried again');
      health = 'failing';
    }
  }

  async function close(): Promise<void> {
    isClosed = true;
    await writing;
    if (health !== 'unusable' && latest !== undefined && latest !== written) await write(latest);
    storage.release();
  }

  return { load, save, isUp: () => health === 'up', close };
}

// A GPU forgotten by hand leaves no event, but fewer GPUs.
function isNews(written: Presence | undefined, { events, gpus }: Presence): boolean {
  return written?.events !== events || Object.keys(written.gpus).length !== Object.keys(gpus).length;
}
