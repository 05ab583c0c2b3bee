/** `gpu-uptime check`: what is wrong with a policy, or what it amounts to. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Diagnostic, renderDiagnostics } from '../policy/diagnostics.ts';
import { loadPolicy, type PolicyOutcome } from '../policy/load.ts';
import { formatOrigin, type Setting } from '../policy/provenance.ts';
import { summarizeCapability } from '../policy/summary.ts';
import type { Command, CommandIo } from './command.ts';

const DEFAULT_FILE = 'rules/policy.yml';

export const check: Command = {
  name: 'check',
  summary: 'check policy files and show the values in effect',
  usage: `gpu-uptime check [FILE…] [--json]

Checks policy files (default: ${DEFAULT_FILE}) together with the GPU_*, PING_* and AGENT_* variables of the
environment. Prints every problem with its place and fix, or every effective value with its source.

  --json    print the same as JSON`,
  run,
};

/** 0 when all files are valid, warnings allowed; else 1. */
async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const options = { json: { type: 'boolean', default: false } } as const;
  const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
  const files = positionals.length > 0 ? positionals : [DEFAULT_FILE];
  const checked = await Promise.all(files.map((file) => checkFile(file, io)));
  if (values.json) io.out(JSON.stringify(checked.map(toJson), null, 2));
  else for (const one of checked) print(one, io);
  return checked.every(({ outcome }) => outcome.ok) ? 0 : 1;
}

interface CheckedFile {
  readonly file: string;
  readonly source: string;
  readonly outcome: PolicyOutcome;
}

async function checkFile(file: string, io: CommandIo): Promise<CheckedFile> {
  try {
    const source = await readFile(resolve(io.cwd, file), 'utf8');
    return { file, source, outcome: loadPolicy({ file, source, env: io.env }) };
  } catch (error) {
    return { file, source: '', outcome: { ok: false, diagnostics: [unreadable(file, error)] } };
  }
}

/** Errors of the disk are the user's to fix; anything else is a bug and keeps its stack. */
function unreadable(file: string, error: unknown): Diagnostic {
  if (!(error instanceof Error) || !('syscall' in error)) throw error;
  const message = `cannot be read: ${error.message.replace(/,.*/, '')}`;
  return { file, line: 0, column: 0, severity: 'error', message, fix: 'name an existing, readable policy file' };
}

function diagnosticsOf(outcome: PolicyOutcome): readonly Diagnostic[] {
  return outcome.ok ? outcome.warnings : outcome.diagnostics;
}

function print({ file, source, outcome }: CheckedFile, io: CommandIo): void {
  const diagnostics = diagnosticsOf(outcome);
  if (diagnostics.length > 0) io.err(renderDiagnostics(diagnostics, { [file]: source }));
  if (!outcome.ok) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    io.err(`${file}: invalid, ${errors} ${errors === 1 ? 'error' : 'errors'}`);
    return;
  }
  const { policy, provenance } = outcome;
  const capabilities = policy.capabilities.map((one) => `${one.name}: ${summarizeCapability(one)}`);
  io.out(
    [`${file}: valid, revision ${policy.revision}`, '', ...settingsTable(provenance), '', ...capabilities].join('\n'),
  );
}

function toJson({ file, outcome }: CheckedFile) {
  if (!outcome.ok) return { file, valid: false, diagnostics: outcome.diagnostics };
  return {
    file,
    valid: true,
    revision: outcome.policy.revision,
    diagnostics: outcome.warnings,
    settings: outcome.provenance.map(({ path, value, origin }) => ({ key: path.join('.'), value, origin })),
    capabilities: outcome.policy.capabilities,
  };
}

// Long expressions stick out of their column rather than push every source off the screen.
const WIDEST_VALUE = 36;

function settingsTable(settings: readonly Setting[]): string[] {
  const rows = settings.map(
    ({ path, value, origin }) => [path.join('.'), formatValue(value), formatOrigin(origin)] as const,
  );
  const keyWidth = Math.max(...rows.map(([key]) => key.length));
  const valueWidth = Math.min(WIDEST_VALUE, Math.max(...rows.map(([, value]) => value.length)));
  return rows.map(([key, value, source]) => `${key.padEnd(keyWidth)}  ${value.padEnd(valueWidth)}  ${source}`);
}

function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  if (value === null) return 'off';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
