/** `gpu-uptime config`: every setting, from the tables that the code reads them by; the README holds the same text. */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SETTINGS, type Setting } from '../config.ts';
import { ENVIRONMENT, type EnvironmentVariable } from '../policy/environment.ts';
import { loadPolicy } from '../policy/load.ts';
import type { Command, CommandIo } from './command.ts';
import { up } from './up.ts';

const BEGIN = '<!-- generated: npm run gpu-uptime -- config --write README.md -->';
const END = '<!-- end of generated -->';

export const config: Command = {
  name: 'config',
  summary: 'show every setting and its default',
  usage: `gpu-uptime config [--write FILE]

Prints the settings of the launcher and the engine, and the variables that override the policy, as Markdown tables.
The exporter explains its own: npm run exporter -- --help

  --write FILE  replace what FILE has between the markers
                ${BEGIN} and ${END}`,
  run,
};

async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { write: { type: 'string' } } });
  if (values.write !== undefined) return writeInto(values.write, io);
  io.out(settingsText());
  return 0;
}

async function writeInto(file: string, io: CommandIo): Promise<number> {
  const path = resolve(io.cwd, file);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const written = text === undefined ? undefined : withSettings(text);
  if (written === undefined) {
    io.err(
      `gpu-uptime config: ${file} ${text === undefined ? 'cannot be read' : `lacks the lines ${BEGIN} and ${END}`}`,
    );
    return 1;
  }
  await writeFile(path, written);
  io.out(`wrote the settings into ${file}`);
  return 0;
}

/** `document` with the settings between its markers; undefined when it does not have both. */
export function withSettings(document: string): string | undefined {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END, begin);
  if (begin < 0 || end < 0) return undefined;
  return `${document.slice(0, begin + BEGIN.length)}\n\n${settingsText()}\n\n${document.slice(end)}`;
}

function settingsText(): string {
  return [
    '### The launcher (`npm start`)',
    `\`\`\`text\n${launcherSettings()}\n\`\`\``,
    '### The engine',
    table(['variable', 'flag', 'default', 'meaning'], engineRows()),
    '### The policy',
    table(['variable', 'key in `rules/policy.yml`', 'default', 'a bare number is in'], policyRows()),
  ].join('\n\n');
}

/** The part of `gpu-uptime up --help` that lists variables, without its indent. */
function launcherSettings(): string {
  const lines = up.usage.split('\n');
  return lines
    .filter((line) => line.startsWith('  '))
    .map((line) => line.slice(2))
    .join('\n');
}

function engineRows(): readonly (readonly string[])[] {
  return SETTINGS.map(({ env, flag, default: fallback, help }: Setting) => [
    code(env),
    flag === undefined ? 'none' : code(`--${flag}`),
    code(fallback),
    help,
  ]);
}

/** Defaults are those of the policy without a file, not of the documents the variables come from. */
function policyRows(): readonly (readonly string[])[] {
  const policy = loadPolicy({ file: 'built-in', source: '', env: {} });
  const defaults = policy.ok ? policy.provenance : [];
  const defaultOf = ({ path }: EnvironmentVariable) =>
    defaults.find((setting) => setting.path.join('.') === path.join('.'))?.value;
  return ENVIRONMENT.map((variable) => [
    code(variable.name),
    code(variable.path.join('.')),
    code(String(defaultOf(variable) ?? '')),
    variable.unit,
  ]);
}

function code(text: string): string {
  return text === '' ? 'unset' : `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
