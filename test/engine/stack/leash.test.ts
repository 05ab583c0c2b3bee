import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { waitUntilReady } from '../../../engine/stack/readiness.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { plannedFixture } from './fixture-stack.ts';

const LEASH = import.meta.resolve('../../../engine/stack/leash.ts');

describe('leash', () => {
  it.each([
    ['a part', {}, 0],
    ['a part that ignores SIGTERM', { FIXTURE_STUBBORN: '1' }, 1],
  ])('ends %s when the launcher lets go of its stdin', async (_what, env, code) => {
    const { spec, readyUrl } = await plannedFixture({
      name: 'one',
      directory: temporaryDirectory(),
      env,
      args: ['--import', LEASH],
    });
    const child = spawn(spec.program, spec.args, { env: spec.env, stdio: ['pipe', 'ignore', 'ignore'] });
    const patience = { timeoutMs: 5_000, signal: new AbortController().signal };
    expect(await waitUntilReady(readyUrl, patience)).toBe(undefined);
    child.stdin.destroy();
    expect(await once(child, 'exit')).toEqual([code, null]);
  });
});
