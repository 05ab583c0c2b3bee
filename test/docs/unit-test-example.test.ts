/** The unit test that rules/README.md shows passes, over a real Prometheus. */
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { main } from '../../engine/cli/main.ts';
import { OWN_KEYS } from '../../engine/unit-tests/test-entry.ts';
import { requireTool } from '../servers/require-tool.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { ROOT, readDocument } from './documents.ts';

const [, EXAMPLE = ''] = /```yaml\n(rule_files: [\s\S]*?)```/.exec(readDocument('rules/README.md').text) ?? [];

it('the unit test of rules/README.md passes beside the rules', async (context) => {
  await requireTool(context, 'prometheus');
  const directory = temporaryDirectory();
  symlinkSync(join(ROOT, 'rules/alerts'), join(directory, 'alerts'));
  writeFileSync(join(directory, 'example.test.yml'), EXAMPLE);
  const printed: string[] = [];
  const print = (text: string) => printed.push(text);
  const io = { out: print, err: print, env: process.env, cwd: directory };
  const code = await main(['test', 'example.test.yml'], io);
  expect([code, printed.join('\n').replace(/\(.* s\)/, '(… s)')]).toEqual([
    0,
    'example.test.yml\n  ok   a GPU gets too hot (… s)\n1 of 1 tests passed',
  ]);
});

it.each(OWN_KEYS)('it shows %s', (key) => {
  expect(EXAMPLE).toContain(`\n    ${key}: `.trimEnd());
});
