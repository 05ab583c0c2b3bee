/** The rule files are those of an unmodified Prometheus, and their unit tests pass. */
import { globSync } from 'node:fs';
import { expect, it } from 'vitest';
import { promtool } from './promtool.ts';
import { ROOT, RULE_FILES } from './rule-files.ts';

const TESTS = globSync('rules/tests/*.test.yml', { cwd: ROOT }).sort();

it('promtool accepts every rule file with all lints', async (context) => {
  const verdict = await promtool(context, 'check', 'rules', '--lint=all', '--lint-fatal', ...RULE_FILES);
  expect(verdict).toEqual({ ok: true, output: expect.stringContaining('SUCCESS') });
});

it.for(TESTS)('%s passes', async (file, context) => {
  expect(await promtool(context, 'test', 'rules', file)).toEqual({
    ok: true,
    output: expect.stringContaining('SUCCESS'),
  });
});
