/** Looks at the files of a recording before anything starts: the one to replay is read, the one to record to is tried. */

import type { Logger } from 'pino';
import { messageOf } from '../../message-of.ts';
import { readRegularFile } from '../../regular-file.ts';
import { checkRecordFile } from './record-writer.ts';
import { parseRecording } from './recording-file.ts';

// Twice what one driver process records: recordings that were put together are replayed one after the other.
const maxReplayBytes = 128 * 2 ** 20;

export interface RecordingFiles {
  /** To be replayed. */
  readonly replay: string | undefined;
  /** To be recorded to. */
  readonly record: string | undefined;
}

/** Every problem with its fix. What does no harm is logged. */
export async function checkRecordingFiles(
  { replay, record }: RecordingFiles,
  log: Pick<Logger, 'warn'>,
): Promise<readonly string[]> {
  const unplayable = replay === undefined ? undefined : await problemOfReplay(replay, log);
  const unwritable = record === undefined ? undefined : problemOfRecord(record, log);
  return [unplayable, unwritable].filter((problem) => problem !== undefined);
}

async function problemOfReplay(file: string, log: Pick<Logger, 'warn'>): Promise<string | undefined> {
  let text: string;
  try {
    text = await readRegularFile(file, maxReplayBytes);
  } catch (error) {
    return `NVML_REPLAY_FILE: ${file} cannot be read: ${messageOf(error)}: name another file.`;
  }
  try {
    const { warning } = parseRecording(text, file);
    if (warning !== undefined) log.warn(warning);
    return undefined;
  } catch (error) {
    return `NVML_REPLAY_FILE: ${messageOf(error)}`;
  }
}

function problemOfRecord(file: string, log: Pick<Logger, 'warn'>): string | undefined {
  const check = checkRecordFile(file);
  if (check.kind === 'full') log.warn(`nothing is recorded: ${check.message}`);
  if (check.kind !== 'refused') return undefined;
  return `NVML_RECORD_FILE: ${check.message}: name a file in a directory that this user may write to.`;
}
