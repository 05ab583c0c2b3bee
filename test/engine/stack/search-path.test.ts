import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findOnPath } from '../../../engine/stack/search-path.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { fakeTool, writeFakeTool, writeProgram } from './fake-tool.ts';

const FIX = 'install Faketool 1.2.0 or newer, or add its directory to PATH';

describe('findOnPath', () => {
  it('takes the first copy that is new enough', async () => {
    const [old, good] = [temporaryDirectory(), temporaryDirectory()];
    writeFakeTool(old, '1.1.9');
    writeFakeTool(good, '1.2.0');
    expect(await findOnPath(fakeTool(''), `${old}:${good}`)).toEqual({
      kind: 'found',
      tool: {
        title: 'Faketool',
        version: '1.2.0',
        programs: { faketool: join(good, 'faketool'), fakectl: join(good, 'fakectl') },
      },
    });
  });

  it('says that the only copy is too old', async () => {
    const directory = temporaryDirectory();
    writeFakeTool(directory, '1.1.9');
    const reason = `${directory}/faketool is version 1.1.9, older than 1.2.0`;
    expect(await findOnPath(fakeTool(''), directory)).toEqual({ kind: 'missed', way: 'PATH', reason, fix: FIX });
  });

  it('says which companion is missing', async () => {
    const directory = temporaryDirectory();
    writeProgram(directory, 'faketool', 'echo 1.2.3');
    const reason = `${directory}/faketool comes without fakectl`;
    expect(await findOnPath(fakeTool(''), directory)).toEqual({ kind: 'missed', way: 'PATH', reason, fix: FIX });
  });

  it('reports a program that cannot run, with its own words', async () => {
    const directory = temporaryDirectory();
    writeProgram(directory, 'faketool', 'echo "exec format error" >&2; exit 126');
    const reason = `${directory}/faketool ended with exit code 126 (exec format error) when asked for its version`;
    expect(await findOnPath(fakeTool(''), directory)).toEqual({ kind: 'missed', way: 'PATH', reason, fix: FIX });
  });

  it('ignores relative entries, which would mean another program in every directory', async () => {
    const outcome = await findOnPath(fakeTool(''), '.::bin');
    expect(outcome).toMatchObject({ kind: 'missed', reason: 'no program named faketool is there' });
  });
});
