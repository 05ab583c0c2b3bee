import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSupervisor, type Supervisor } from '../../../engine/stack/supervisor.ts';
import { isAlive } from '../../servers/process-alive.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { plannedFixture } from './fixture-stack.ts';

const NEVER = new AbortController().signal;

function supervisor(): { readonly it: Supervisor; readonly lines: string[]; readonly alive: string[][] } {
  const lines: string[] = [];
  const alive: string[][] = [];
  const created = createSupervisor({
    onLine: (name, line) => lines.push(`${name}: ${line}`),
    onChange: (parts) => alive.push(parts.map(({ name }) => name)),
  });
  onTestFinished(async () => void (await created.stop()));
  return { it: created, lines, alive };
}

describe('createSupervisor', () => {
  it('starts a part, hears it, keeps its log, and ends it', async () => {
    const directory = temporaryDirectory();
    const { it: subject, lines } = supervisor();
    const part = await subject.start(await plannedFixture({ name: 'one', directory }), NEVER);
    expect(isAlive(part.pid)).toBe(true);
    await subject.stop();
    expect(isAlive(part.pid)).toBe(false);
    expect(lines).toEqual(['one: fixture begins']);
    expect(readFileSync(join(directory, 'one.log'), 'utf8')).toBe('fixture begins\n');
  });

  it('ends parts in reverse order', async () => {
    const directory = temporaryDirectory();
    const { it: subject, alive } = supervisor();
    for (const name of ['one', 'two', 'three']) await subject.start(await plannedFixture({ name, directory }), NEVER);
    await subject.stop();
    expect(alive.slice(-4)).toEqual([['one', 'two', 'three'], ['one', 'two'], ['one'], []]);
  });

  it('kills a part that ignores SIGTERM', { timeout: 15_000 }, async () => {
    const { it: subject } = supervisor();
    const planned = await plannedFixture({
      name: 'one',
      directory: temporaryDirectory(),
      env: { FIXTURE_STUBBORN: '1' },
    });
    const part = await subject.start(planned, NEVER);
    await subject.stop();
    expect(await part.exited).toBe('SIGKILL');
  });

  it('says which part died, how, and its last words', async () => {
    const directory = temporaryDirectory();
    const { it: subject } = supervisor();
    const planned = await plannedFixture({ name: 'one', directory });
    await subject.start(planned, NEVER);
    await fetch(`${planned.address}/die`).catch(() => undefined);
    expect(await subject.failed).toBe(
      `one ended by itself (exit code 3). The end of its log ${directory}/one.log:\n  fixture begins`,
    );
  });

  it('names the signal that killed a part', async () => {
    const { it: subject } = supervisor();
    const part = await subject.start(await plannedFixture({ name: 'one', directory: temporaryDirectory() }), NEVER);
    process.kill(part.pid, 'SIGKILL');
    expect(await subject.failed).toContain('one ended by itself (SIGKILL)');
  });

  it('refuses to go on with a part that ends before it is ready', async () => {
    const directory = temporaryDirectory();
    const { it: subject } = supervisor();
    const start = subject.start(
      await plannedFixture({ name: 'one', directory, env: { FIXTURE_EXIT_CODE: '7' } }),
      NEVER,
    );
    await expect(start).rejects.toThrow(
      `one ended by itself (exit code 7). The end of its log ${directory}/one.log:\n  fixture begins\n  fixture cannot go on`,
    );
  });

  it('refuses to go on with a part that stays silent', async () => {
    const { it: subject } = supervisor();
    const planned = await plannedFixture({
      name: 'one',
      directory: temporaryDirectory(),
      env: { FIXTURE_SILENT: '1' },
      readyTimeoutMs: 500,
    });
    await expect(subject.start(planned, NEVER)).rejects.toThrow('one was not ready within 0.5 s');
  });

  it('says that a program is not there', async () => {
    const { it: subject } = supervisor();
    const planned = await plannedFixture({ name: 'one', directory: temporaryDirectory() });
    const start = subject.start({ ...planned, spec: { ...planned.spec, program: '/nowhere/prometheus' } }, NEVER);
    await expect(start).rejects.toThrow('one ended by itself (spawn /nowhere/prometheus ENOENT)');
  });

  it('stops waiting when it is interrupted', async () => {
    const { it: subject } = supervisor();
    const interruption = new AbortController();
    const env = { FIXTURE_SILENT: '1' };
    const planned = await plannedFixture({ name: 'one', directory: temporaryDirectory(), env, readyTimeoutMs: 60_000 });
    setTimeout(() => interruption.abort(), 300);
    const { pid } = await subject.start(planned, interruption.signal);
    await subject.stop();
    expect(isAlive(pid)).toBe(false);
  });
});
