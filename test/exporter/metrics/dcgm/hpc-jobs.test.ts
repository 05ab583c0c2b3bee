import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHpcJobReader } from '../../../../exporter/metrics/dcgm/hpc-job-reader.ts';
import { isJobFile, jobAttributes, parseJobs } from '../../../../exporter/metrics/dcgm/hpc-jobs.ts';
import type { GpuSample, MigInstance } from '../../../../exporter/snapshot.ts';
import { temporaryDirectory } from '../../../servers/temporary-directory.ts';

const gpu: GpuSample = { index: 2, uuid: 'GPU-2', pciBusId: '', modelName: '' };
const instance: MigInstance = { uuid: 'MIG-1', gpuInstanceId: 7, computeInstanceId: 0, profile: '1g.10gb' };

describe('isJobFile', () => {
  it.each(['0', '12', '2.0', '3.10'])('takes %s for a file of a GPU or instance', (name) => {
    expect(isJobFile(name)).toBe(true);
  });

  it.each(['', 'gpu0', '-1', '0.', '.1', '1.2.3', '0.tmp', ' 0', '0x1', '9999999999'])(
    'does not take "%s" for one',
    (name) => {
      expect(isJobFile(name)).toBe(false);
    },
  );
});

describe('parseJobs', () => {
  it.each([
    { what: 'no job', text: '', jobs: [] },
    { what: 'one job', text: '4711\n', jobs: ['4711'] },
    { what: 'a last line without an end', text: 'a\nb', jobs: ['a', 'b'] },
    { what: 'Windows line ends', text: 'a\r\nb\r\n', jobs: ['a', 'b'] },
    { what: 'empty lines', text: '\n\na\n\n', jobs: ['a'] },
    { what: 'a job twice', text: 'a\nb\na\n', jobs: ['a', 'b'] },
    { what: 'blanks', text: ' a b \n', jobs: [' a b '] },
  ])('reads $what', ({ text, jobs }) => {
    expect(parseJobs(text)).toEqual(jobs);
  });

  it('keeps a hundred jobs at most', () => {
    const many = Array.from({ length: 1000 }, (_, job) => `job-${job}`);
    expect(parseJobs(many.join('\n'))).toEqual(many.slice(0, 100));
  });

  it('never throws, and never gives an empty job', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseJobs(text)).not.toContain('');
      }),
    );
  });
});

describe('jobAttributes', () => {
  const jobs = new Map([
    ['2', ['a', 'b']],
    ['2.7', ['c']],
    ['3', []],
  ]);

  it.each([
    { what: 'each job of a GPU', entity: { gpu, instance: undefined }, labels: [{ hpc_job: 'a' }, { hpc_job: 'b' }] },
    { what: 'the job of an instance', entity: { gpu, instance }, labels: [{ hpc_job: 'c' }] },
    { what: 'nothing for another instance', entity: { gpu, instance: { ...instance, gpuInstanceId: 8 } }, labels: [] },
    { what: 'nothing for an empty file', entity: { gpu: { ...gpu, index: 3 }, instance: undefined }, labels: [] },
    {
      what: 'nothing for a GPU without a file',
      entity: { gpu: { ...gpu, index: 0 }, instance: undefined },
      labels: [],
    },
  ])('gives $what', ({ entity, labels }) => {
    expect(jobAttributes(jobs, entity)).toEqual(labels);
  });
});

describe('createHpcJobReader', () => {
  function readerOf(directory: string, timeoutMs = 5000) {
    const reader = createHpcJobReader({ directory, timeoutMs });
    return async () => {
      await reader.refresh();
      const { jobs, ...rest } = reader.current();
      return { jobs: Object.fromEntries(jobs), ...rest };
    };
  }

  it('knows nothing before the first refresh', () => {
    const reader = createHpcJobReader({ directory: '/nowhere', timeoutMs: 1000 });
    expect(reader.current()).toEqual({ jobs: new Map(), errors: 0, problems: [] });
  });

  it('reads the files of GPUs and instances, and follows their changes', async () => {
    const directory = temporaryDirectory();
    const read = readerOf(directory);
    writeFileSync(join(directory, '0'), '1234\n');
    writeFileSync(join(directory, '1.2'), 'a\nb\n');
    writeFileSync(join(directory, 'README'), 'not a job');
    mkdirSync(join(directory, 'other'));
    expect(await read()).toEqual({ jobs: { '0': ['1234'], '1.2': ['a', 'b'] }, errors: 0, problems: [] });
    writeFileSync(join(directory, '0'), '1235\n');
    rmSync(join(directory, '1.2'));
    symlinkSync(join(directory, '0'), join(directory, '7'));
    expect(await read()).toEqual({ jobs: { '0': ['1235'], '7': ['1235'] }, errors: 0, problems: [] });
  });

  it('sees a change that keeps size and time', async () => {
    const directory = temporaryDirectory();
    const read = readerOf(directory);
    const file = join(directory, '0');
    writeFileSync(file, '1234\n');
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    await read();
    writeFileSync(file, '1235\n');
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    expect((await read()).jobs).toEqual({ '0': ['1235'] });
  });

  it('counts what it cannot read, says why, and reads the rest', async () => {
    const directory = temporaryDirectory();
    const read = readerOf(directory);
    writeFileSync(join(directory, '0'), 'fine\n');
    writeFileSync(join(directory, '1'), `${'x'.repeat(70_000)}\n`);
    mkdirSync(join(directory, '2'));
    spawnSync('sh', ['-c', 'mkfifo "$0"', join(directory, '3')]);
    symlinkSync(join(directory, '4'), join(directory, '4'));
    expect(await read()).toEqual({
      jobs: { '0': ['fine'] },
      errors: 4,
      problems: [
        `${directory}/1 cannot be read: it has 70001 bytes, and 65536 are the most that are read`,
        `${directory}/2 cannot be read: it is not a regular file`,
        `${directory}/3 cannot be read: it is not a regular file`,
        `${directory}/4 cannot be read: ELOOP: too many symbolic links encountered, open '${directory}/4'`,
      ],
    });
    for (const name of ['1', '2', '3', '4']) rmSync(join(directory, name), { recursive: true });
    expect(await read()).toEqual({ jobs: { '0': ['fine'] }, errors: 4, problems: [] });
  });

  it('waits for a directory that is not there yet', async () => {
    const directory = join(temporaryDirectory(), 'jobs');
    const read = readerOf(directory);
    const problem = `${directory} cannot be read: ENOENT: no such file or directory, scandir '${directory}'`;
    expect(await read()).toEqual({ jobs: {}, errors: 1, problems: [problem] });
    mkdirSync(directory);
    writeFileSync(join(directory, '0'), 'job\n');
    expect(await read()).toEqual({ jobs: { '0': ['job'] }, errors: 1, problems: [] });
  });

  it('forgets jobs when the directory cannot be read any more', async () => {
    const directory = join(temporaryDirectory(), 'jobs');
    const read = readerOf(directory);
    mkdirSync(directory);
    writeFileSync(join(directory, '0'), 'job\n');
    expect((await read()).jobs).toEqual({ '0': ['job'] });
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'now a file');
    const problem = `${directory} cannot be read: ENOTDIR: not a directory, scandir '${directory}'`;
    expect(await read()).toEqual({ jobs: {}, errors: 1, problems: [problem] });
  });

  it('does not wait for a directory that takes too long, keeps what it knew, and starts no second reading', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, '0'), 'job\n');
    const reader = createHpcJobReader({ directory, timeoutMs: 5 });
    while (reader.current().jobs.size === 0) await reader.refresh();
    const before = reader.current();
    for (let file = 1; file < 3000; file++) writeFileSync(join(directory, String(file)), 'job\n');
    await Promise.all([reader.refresh(), reader.refresh()]);
    expect(reader.current()).toEqual({
      jobs: new Map([['0', ['job']]]),
      errors: before.errors + 2,
      problems: [`${directory} did not answer within 5 ms: the jobs read before are kept.`],
    });
    while (reader.current().jobs.size < 3000) await reader.refresh();
    expect(reader.current().jobs.get('2999')).toEqual(['job']);
  });
});
