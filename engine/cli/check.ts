/** `gpu-uptime check`: what is wrong with a policy or with rule files, or what they amount to. */
import { parseArgs } from 'node:util';
import { SETTINGS } from '../config.ts';
import { type Diagnostic, renderDiagnostics, sortDiagnostics } from '../policy/diagnostics.ts';
import type { RuleSource } from '../rules/rule-file.ts';
import { readSources } from '../rules/rule-sources.ts';
import { checkPolicy } from './check-policy.ts';
import { checkRules } from './check-rules.ts';
import { type CheckedFile, isValid } from './checked-file.ts';
import type { Command, CommandIo } from './command.ts';
import { type FileKind, fileKind, NOT_CHECKED } from './file-kind.ts';

export const check: Command = {
  name: 'check',
  summary: 'check policy and rule files and show what they amount to',
  usage: `gpu-uptime check [FILE…] [--lint] [--json]

Checks policy files and Prometheus rule files; which of the two a file is, its content tells. A FILE may be a path, a
glob in quotes, or a directory, which stands for the YAML files in it. Without a FILE it checks what the engine
would load: POLICY_FILE and RULE_FILES, or their defaults.

A policy is checked together with the GPU_*, PING_* and AGENT_* variables of the environment. Rule files are held to all
that "promtool check rules" asks of them, and to some advice of our own. Prints every problem with its place and fix, or
every value of the policy in effect with its source, or every rule. Files for other tools are named and not checked.

  --lint    exit with 1 for warnings too
  --json    print the same as JSON

Exit code: 0 when every file is valid, 1 when one is not, 2 when the command line is wrong.`,
  run,
};

/** 0 when all files are valid, warnings allowed unless `--lint` asks otherwise; else 1. */
async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const options = { json: { type: 'boolean', default: false }, lint: { type: 'boolean', default: false } } as const;
  const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
  const { known, diagnostics } = positionals.length > 0 ? await named(positionals, io) : await defaults(io);
  const checked = [...checkAll(known, io), ...diagnostics.map(unreadFile)];
  const skipped = known.filter(({ kind }) => kind !== 'policy' && kind !== 'rules');
  if (values.json) io.out(JSON.stringify([...checked.map(toJson), ...skipped.map(skippedJson)], null, 2));
  else printAll(checked, skipped, io);
  const isGood = values.lint ? ({ diagnostics }: CheckedFile) => diagnostics.length === 0 : isValid;
  return checked.every(isGood) ? 0 : 1;
}

interface KnownFile extends RuleSource {
  readonly kind: FileKind;
}

interface FoundFiles {
  readonly known: readonly KnownFile[];
  readonly diagnostics: readonly Diagnostic[];
}

async function named(patterns: readonly string[], { cwd }: CommandIo): Promise<FoundFiles> {
  const absentFix = 'name an existing file, or a glob that matches one';
  const { sources, diagnostics } = await readSources(patterns, { cwd, absentFix, takesDirectories: true });
  return { known: sources.map((source) => ({ ...source, kind: fileKind(source.text) })), diagnostics };
}

/** What the engine would load; the setting says what a file is, even an empty one. */
async function defaults({ cwd, env }: CommandIo): Promise<FoundFiles> {
  const patterns = settingOf('RULE_FILES', env)
    .split(',')
    .map((part) => part.trim());
  const policy = await readSources([settingOf('POLICY_FILE', env)], { cwd, absentFix: 'correct POLICY_FILE' });
  const rules = await readSources(
    patterns.filter((pattern) => pattern !== ''),
    { cwd, absentFix: 'correct RULE_FILES' },
  );
  const known = [
    ...policy.sources.map((source) => ({ ...source, kind: 'policy' as const })),
    ...rules.sources.map((source) => ({ ...source, kind: 'rules' as const })),
  ];
  return { known, diagnostics: [...policy.diagnostics, ...rules.diagnostics] };
}

function settingOf(name: 'POLICY_FILE' | 'RULE_FILES', env: CommandIo['env']): string {
  const fallback = SETTINGS.find((setting) => setting.env === name)?.default ?? '';
  return env[name] ?? fallback;
}

function checkAll(known: readonly KnownFile[], { env }: CommandIo): CheckedFile[] {
  const rules = checkRules(known.filter(({ kind }) => kind === 'rules'));
  const policies = known.filter(({ kind }) => kind === 'policy').map((one) => checkPolicy(one, env));
  return [...policies, ...rules];
}

function unreadFile(diagnostic: Diagnostic): CheckedFile {
  return { file: diagnostic.file, text: '', diagnostics: [diagnostic], summary: [], facts: {} };
}

function printAll(checked: readonly CheckedFile[], skipped: readonly KnownFile[], io: CommandIo): void {
  for (const one of checked) print(one, io);
  for (const one of skipped) io.err(noteOf(one));
}

function print(checked: CheckedFile, io: CommandIo): void {
  const { file, text, diagnostics, summary } = checked;
  if (diagnostics.length > 0) io.err(renderDiagnostics(diagnostics, { [file]: text }));
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  if (errors === 0) io.out(summary.join('\n'));
  else io.err(`${file}: invalid, ${errors} ${errors === 1 ? 'error' : 'errors'}`);
}

function toJson(checked: CheckedFile) {
  const { file, facts } = checked;
  return { file, valid: isValid(checked), diagnostics: sortDiagnostics(checked.diagnostics), ...facts };
}

function noteOf({ kind, file }: KnownFile): string {
  return kind === 'policy' || kind === 'rules' ? '' : NOT_CHECKED[kind](file);
}

function skippedJson(known: KnownFile) {
  return { file: known.file, kind: known.kind, note: noteOf(known) };
}
