import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startPart } from '../../../engine/stack/process.ts';
import { endStaleParts, forgetStack, recordStack } from '../../../engine/stack/stack-file.ts';
import { isAlive } from '../../servers/process-alive.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { plannedFixture } from './fixture-stack.ts';

async function recordedPart(directory: string, env: NodeJS.ProcessEnv = {}) {
  const part = startPart((await plannedFixture({ name: 'one', directory, env })).spec, () => {});
  onTestFinished(() => part.stop(0));
  recordStack(directory, [part]);
  return part;
}

/** Rewrites the record as a launcher that is gone would have left it. */
function forgetLauncher(directory: string, change: (text: string) => string = (text) => text): void {
  const file = join(directory, 'stack.json');
  const record = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, change(JSON.stringify({ ...record, launcher: { pid: 999_999_999, command: ['gone'] } })));
}

describe('endStaleParts', () => {
  it('ends the parts of a killed launcher', async () => {
    const directory = temporaryDirectory();
    const part = await recordedPart(directory);
    forgetLauncher(directory);
    expect(await endStaleParts(directory)).toEqual(['one']);
    await part.exited;
    expect(isAlive(part.pid)).toBe(false);
  });

  it('leaves a process alone that merely got the same pid', async () => {
    const directory = temporaryDirectory();
    const part = await recordedPart(directory);
    forgetLauncher(directory, (text) => text.replace('fixture-part.ts', 'another-program.ts'));
    expect(await endStaleParts(directory)).toEqual([]);
    expect(isAlive(part.pid)).toBe(true);
  });

  it('refuses while the launcher is alive', async () => {
    const directory = temporaryDirectory();
    const launcher = spawn('sleep', ['60']);
    onTestFinished(() => void launcher.kill());
    await once(launcher, 'spawn');
    const record = { launcher: { pid: launcher.pid, command: ['sleep', '60'] }, parts: [] };
    writeFileSync(join(directory, 'stack.json'), JSON.stringify(record));
    await expect(endStaleParts(directory)).rejects.toThrow(
      `gpu-uptime already runs on ${directory} (pid ${launcher.pid}); stop it, or set DATA_DIR to another directory.`,
    );
  });

  it('makes nothing of a record that was cut short', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'stack.json'), '{"launcher": {"pid"');
    expect(await endStaleParts(directory)).toEqual([]);
  });
});

describe('forgetStack', () => {
  it('removes the record, and does not mind its absence', () => {
    const directory = temporaryDirectory();
    recordStack(directory, []);
    forgetStack(directory);
    forgetStack(directory);
    expect(existsSync(join(directory, 'stack.json'))).toBe(false);
  });
});
