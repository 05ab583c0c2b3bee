/**
 * Reads the directory with the jobs of the GPUs. It is often on a file system of the network: a read that hangs is not waited for,
 * and what was read before it stays in force. A file is read again when it has changed.
 */

import type { BigIntStats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../message-of.ts';
import { readStart, withRegularFile } from '../../regular-file.ts';
import { firstWithin } from '../../waiting.ts';
import { isJobFile, type JobsByFile, parseJobs } from './hpc-jobs.ts';

interface HpcJobs {
  readonly jobs: JobsByFile;
  /** Files and directories that could not be read, since the start. */
  readonly errors: number;
  /** What the last reading could not read, for people; empty when it read everything. */
  readonly problems: readonly string[];
}

export interface HpcJobReader {
  /** What is known; empty before the first refresh. */
  current(): HpcJobs;
  /** Reads what has changed. Never rejects, and never takes longer than the timeout. */
  refresh(): Promise<void>;
}

export interface HpcJobReaderOptions {
  readonly directory: string;
  readonly timeoutMs: number;
}

const maxFileBytes = 64 * 1024;
const maxFiles = 4096;

/** A file as it was when it was read. */
interface KnownFile {
  readonly version: string;
  readonly jobs: readonly string[];
}

type KnownFiles = ReadonlyMap<string, KnownFile>;

interface Reading {
  readonly files: KnownFiles;
  readonly problems: readonly string[];
}

export function createHpcJobReader({ directory, timeoutMs }: HpcJobReaderOptions): HpcJobReader {
  let files: KnownFiles = new Map();
  let known: HpcJobs = { jobs: new Map(), errors: 0, problems: [] };
  let pending: Promise<void> | undefined;

  async function read(): Promise<void> {
    const reading = await readDirectory(directory, files);
    files = reading.files;
    const jobs = new Map([...files].map(([name, file]) => [name, file.jobs]));
    known = { jobs, errors: known.errors + reading.problems.length, problems: reading.problems };
  }

  async function refresh(): Promise<void> {
    pending ??= read().finally(() => {
      pending = undefined;
    });
    if (
      await firstWithin(
        pending.then(() => true),
        timeoutMs,
      )
    )
      return;
    const problem = `${directory} did not answer within ${timeoutMs} ms: the jobs read before are kept.`;
    known = { ...known, errors: known.errors + 1, problems: [problem] };
  }

  return { current: () => known, refresh };
}

async function readDirectory(directory: string, before: KnownFiles): Promise<Reading> {
  try {
    const names = (await readdir(directory)).filter(isJobFile).toSorted().slice(0, maxFiles);
    return await readFiles(directory, names, before);
  } catch (error) {
    return { files: new Map(), problems: [`${directory} cannot be read: ${messageOf(error)}`] };
  }
}

async function readFiles(directory: string, names: readonly string[], before: KnownFiles): Promise<Reading> {
  const files = new Map<string, KnownFile>();
  const problems: string[] = [];
  // One after the other: a directory that hangs then holds one thread, not all of them.
  for (const name of names) {
    try {
      files.set(name, await readJobFile(join(directory, name), before.get(name)));
    } catch (error) {
      // A job that ended in between takes its file with it.
      if (!isMissing(error)) problems.push(`${join(directory, name)} cannot be read: ${messageOf(error)}`);
    }
  }
  return { files, problems };
}

function readJobFile(path: string, before: KnownFile | undefined): Promise<KnownFile> {
  return withRegularFile(path, maxFileBytes, async (file, stats) => {
    const version = versionOf(stats);
    if (before?.version === version) return before;
    return { version, jobs: parseJobs(await readStart(file, maxFileBytes)) };
  });
}

// Nanoseconds and the inode, because job numbers of equal length make files of equal size within a second.
function versionOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
