/** Everything that a file of tests needs, read and checked before the first of them runs. */
import { glob, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Policy } from '../core/policy.ts';
import { renderDiagnostics } from '../policy/diagnostics.ts';
import type { Environment } from '../policy/environment-layer.ts';
import { loadPolicy } from '../policy/load.ts';
import { loadRules, type RuleSource } from '../rules/rule-file.ts';
import { loadTestFile } from './test-file.ts';
import type { UnitTestFile } from './unit-test.ts';

export type PreparedFile =
  | {
      readonly ok: true;
      readonly tests: UnitTestFile;
      readonly rules: readonly RuleSource[];
      readonly policy: Policy;
      /** Rendered, empty when there are none. */
      readonly warnings: string;
    }
  | { readonly ok: false; readonly text: string };

export interface Surroundings {
  readonly cwd: string;
  readonly env: Environment;
}

/** Reads a file of tests with its rules and its policy; paths in it are relative to it, as in promtool. */
export async function prepareFile(file: string, { cwd }: Surroundings): Promise<PreparedFile> {
  const path = resolve(cwd, file);
  const text = await readText(path);
  if (text === undefined) return refused(`${file}: cannot be read; name an existing, readable file of tests`);
  const loaded = loadTestFile({ file, text });
  if (!loaded.ok) return refused(renderDiagnostics(loaded.diagnostics, { [file]: text }));
  const rules = await readRules(loaded.tests, dirname(path));
  const missing = rules.flatMap(({ pattern, sources }) => (sources.length === 0 ? [pattern] : []));
  if (missing.length > 0)
    return refused(missing.map((pattern) => `${file}: no rule file matches ${pattern}`).join('\n'));
  return withPolicy(
    loaded.tests,
    rules.flatMap(({ sources }) => sources),
    dirname(path),
  );
}

function refused(text: string): PreparedFile {
  return { ok: false, text };
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function readRules({ ruleFiles }: UnitTestFile, directory: string) {
  return Promise.all(
    ruleFiles.map(async (pattern) => {
      const files = (await Array.fromAsync(glob(resolve(directory, pattern)))).sort();
      const sources = await Promise.all(files.map(async (file) => ({ file, text: (await readText(file)) ?? '' })));
      return { pattern, sources };
    }),
  );
}

/** The environment does not reach tests: they must judge alike on every machine. */
async function withPolicy(tests: UnitTestFile, rules: readonly RuleSource[], directory: string): Promise<PreparedFile> {
  const policyFile = tests.policyFile === undefined ? 'built-in policy' : resolve(directory, tests.policyFile);
  const source = tests.policyFile === undefined ? '' : await readText(policyFile);
  if (source === undefined) return refused(`${tests.file}: the policy_file ${tests.policyFile} cannot be read`);
  const policy = loadPolicy({ file: policyFile, source, env: {} });
  const { diagnostics } = loadRules(rules);
  const problems = [...(policy.ok ? policy.warnings : policy.diagnostics), ...diagnostics];
  const sources = Object.fromEntries(
    [{ file: policyFile, text: source }, ...rules].map(({ file, text }) => [file, text]),
  );
  const rendered = renderDiagnostics(problems, sources);
  if (!policy.ok || problems.some(({ severity }) => severity === 'error')) return refused(rendered);
  return { ok: true, tests, rules, policy: policy.policy, warnings: rendered };
}
