import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkRecordingFiles } from '../../../exporter/source/nvml/recording-check.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { runExporterProcess } from '../exporter-process.ts';

const header = '{"format":"gpu-uptime NVML recording","version":1,"driver":null,"date":"2026-01-02T03:04:05.000Z"}';
const count = '{"round":1,"call":"nvmlDeviceGetCount_v2","args":[],"code":0,"value":1}';

async function check(files: { readonly replay?: string; readonly record?: string }) {
  const warnings: unknown[] = [];
  const log = { warn: (message: unknown) => void warnings.push(message) };
  const problems = await checkRecordingFiles({ replay: files.replay, record: files.record }, log);
  return { problems, warnings };
}

/** A file of these bytes, in a directory of its own. */
function fileOf(text: string): string {
  const file = join(temporaryDirectory(), 'answers.jsonl');
  writeFileSync(file, text);
  return file;
}

describe('a file to replay', () => {
  it('that is a recording is fine', async () => {
    expect(await check({ replay: fileOf(`${header}\n${count}\n`) })).toEqual({ problems: [], warnings: [] });
  });

  it('that was cut off is fine, with a warning', async () => {
    const replay = fileOf(`${header}\n${count}\n${count.slice(0, 20)}`);
    expect(await check({ replay })).toEqual({
      problems: [],
      warnings: [`${replay}:3: this line was cut off and is left out; the recording is replayed up to it.`],
    });
  });

  it('that is damaged is refused by line', async () => {
    const replay = fileOf(`${header}\n${count.slice(0, 20)}\n${count}\n`);
    const problem = `NVML_REPLAY_FILE: ${replay}:2: this line is damaged. Remove it, or record again.`;
    expect(await check({ replay })).toEqual({ problems: [problem], warnings: [] });
  });

  it('that is not there, or no file, is refused', async () => {
    const directory = temporaryDirectory();
    const missing = join(directory, 'none');
    expect((await check({ replay: missing })).problems).toEqual([
      `NVML_REPLAY_FILE: ${missing} cannot be read: ENOENT: no such file or directory, open '${missing}': name another file.`,
    ]);
    expect((await check({ replay: directory })).problems).toEqual([
      `NVML_REPLAY_FILE: ${directory} cannot be read: it is not a regular file: name another file.`,
    ]);
  });
});

describe('a file to record to', () => {
  it('that can be made is fine, and not there afterwards', async () => {
    const directory = temporaryDirectory();
    expect(await check({ record: join(directory, 'answers.jsonl') })).toEqual({ problems: [], warnings: [] });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('that is there already is fine, and stays', async () => {
    const record = fileOf('mine');
    expect(await check({ record })).toEqual({ problems: [], warnings: [] });
    expect(readdirSync(join(record, '..'))).toEqual(['answers.jsonl']);
  });

  it('of which there are too many is warned of: the driver process is replaced for other reasons', async () => {
    const record = fileOf('1');
    for (let number = 2; number <= 10; number += 1) writeFileSync(`${record}.${number}`, '');
    expect(await check({ record })).toEqual({
      problems: [],
      warnings: [`nothing is recorded: there are 10 recordings at ${record} already; move them away to record more`],
    });
  });

  it('that cannot be made is refused', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'answers'));
    const missing = join(directory, 'none', 'x');
    expect((await check({ record: missing })).problems).toEqual([
      `NVML_RECORD_FILE: ${missing} cannot be written: ENOENT: no such file or directory, open '${missing}': name a file in a directory that this user may write to.`,
    ]);
    expect((await check({ record: join(directory, 'answers') })).problems).toEqual([
      `NVML_RECORD_FILE: ${directory}/answers cannot be written: it is a directory: name a file in a directory that this user may write to.`,
    ]);
    expect(readdirSync(directory)).toEqual(['answers']);
  });
});

describe('the start of the exporter', () => {
  it('is refused where nothing could be replayed', async () => {
    const { code, stderr } = await runExporterProcess(['--source', 'replay', '--replay', '/etc/passwd']);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'NVML_REPLAY_FILE: /etc/passwd:1: this is not a recording of NVML: the file does not begin with the header of one.',
    );
  });

  it('is refused where nothing could be recorded', async () => {
    const { code, stderr } = await runExporterProcess(['--source', 'nvml', '--record', '/nowhere/x']);
    expect(code).toBe(1);
    expect(stderr).toContain('NVML_RECORD_FILE: /nowhere/x cannot be written: ENOENT');
  });
});
