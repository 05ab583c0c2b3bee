import { describe, expect, it } from 'vitest';
import { runCommand } from '../../../engine/stack/command.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { writeProgram } from './fake-tool.ts';

describe('runCommand', () => {
  it('gathers both outputs', async () => {
    const program = writeProgram(temporaryDirectory(), 'talk', 'echo out; echo err >&2');
    const result = await runCommand(program, [], { timeoutMs: 5_000 });
    expect({ ...result, output: result.output.split('\n').sort() }).toEqual({ ok: true, output: ['', 'err', 'out'] });
  });

  it('ends a program that never ends, and the child that holds its output open', async () => {
    const program = writeProgram(temporaryDirectory(), 'hang', 'sleep 600 & wait');
    const before = Date.now();
    const result = await runCommand(program, [], { timeoutMs: 200 });
    expect(result).toEqual({ ok: false, output: '', problem: 'did not finish within 0.2 s' });
    expect(Date.now() - before).toBeLessThan(3_000);
  });

  it('says that a program is not there', async () => {
    const result = await runCommand('/nowhere/program', [], { timeoutMs: 1_000 });
    expect(result).toMatchObject({ ok: false, problem: 'could not be started (spawn /nowhere/program ENOENT)' });
  });
});
