/** Policy and alert rules read from disk together: both are good, or neither is used. */
import { glob, readFile } from 'node:fs/promises';
import type { Policy } from './core/policy.ts';
import { type Diagnostic, renderDiagnostics } from './policy/diagnostics.ts';
import type { Environment } from './policy/environment-layer.ts';
import { loadPolicy } from './policy/load.ts';
import type { RuleGroup } from './rules/rule.ts';
import { loadRules, type RuleSource } from './rules/rule-file.ts';

export interface Configuration {
  readonly policy: Policy;
  readonly groups: readonly RuleGroup[];
  /** Rendered warnings, empty when there are none. */
  readonly warnings: string;
}

export type ConfigurationOutcome =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly text: string };

export interface ConfigurationFiles {
  readonly policyFile: string;
  /** Globs. */
  readonly ruleFiles: readonly string[];
}

/** Reads and checks every file; all problems are reported in one text with file:line and a fix. */
export async function readConfiguration(files: ConfigurationFiles, env: Environment): Promise<ConfigurationOutcome> {
  const missing: string[] = [];
  const policySource = await readSource(files.policyFile, missing);
  const ruleSources = (await Promise.all(files.ruleFiles.map((pattern) => readGlob(pattern, missing)))).flat();
  if (missing.length > 0) return { ok: false, text: missing.join('\n') };
  const policy = loadPolicy({ file: files.policyFile, source: policySource, env });
  const rules = loadRules(ruleSources);
  const problems = [...(policy.ok ? policy.warnings : policy.diagnostics), ...rules.diagnostics];
  const text = render(problems, [{ file: files.policyFile, text: policySource }, ...ruleSources]);
  if (!policy.ok || problems.some(({ severity }) => severity === 'error')) return { ok: false, text };
  return { ok: true, configuration: { policy: policy.policy, groups: rules.groups, warnings: text } };
}

async function readSource(file: string, missing: string[]): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    missing.push(`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return '';
  }
}

async function readGlob(pattern: string, missing: string[]): Promise<readonly RuleSource[]> {
  const files = (await Array.fromAsync(glob(pattern))).sort();
  if (files.length === 0)
    missing.push(`${pattern}: no rule file matches; set RULE_FILES, or empty it to evaluate none`);
  return Promise.all(files.map(async (file) => ({ file, text: await readSource(file, missing) })));
}

function render(problems: readonly Diagnostic[], sources: readonly RuleSource[]): string {
  return renderDiagnostics(problems, Object.fromEntries(sources.map(({ file, text }) => [file, text])));
}
