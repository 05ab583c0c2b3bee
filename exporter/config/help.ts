/** The settings for people: `--help`, and the tables of the README. */

import type { Setting } from './setting.ts';
import { settingGroups, settings } from './settings.ts';

/** What `--help` prints. */
export function helpText(): string {
  const groups = Object.entries(settingGroups).map(([title, rows]) => `${title}:\n${rows.map(helpLine).join('\n')}`);
  return `Publishes GPU metrics for Prometheus.

Usage: npm run exporter -- [flags]
       npm run exporter -- doctor [--json]   what each GPU answers, what is missing and why

Flags and environment variables; a flag wins. The flags and variables of dcgm-exporter are understood too.

${groups.join('\n\n')}

${line('--help', 'print this and exit')}
${line('--version', 'print the version and exit')}
`;
}

function helpLine({ env, flag, what, fallback }: Setting<unknown>): string {
  const name = flag === undefined ? env : `--${flag}, ${env}`;
  return line(name, `${what} (${fallback === '' ? 'unset' : `default ${fallback}`})`);
}

function line(name: string, what: string): string {
  return `  ${name.padEnd(44)} ${what}`;
}

const pageHead = `# Settings

This page is generated from [config/settings.ts](config/settings.ts).

A flag wins over its variable; an empty variable counts as not set. Every mistake is reported together, with its fix, before
anything starts. Flags and variables of dcgm-exporter are understood as well: [README.md](README.md#in-place-of-dcgm-exporter).`;

/** SETTINGS.md. Defaults that differ between machines are named, not shown. */
export function settingsPage(): string {
  const sections = Object.entries(settingGroups).map(([title, rows]) => `## ${title}\n\n${table(rows)}`);
  return `${[pageHead, ...sections].join('\n\n')}\n`;
}

function table(rows: readonly Setting<unknown>[]): string {
  const cells = rows.map((row) => [
    `\`${row.env}\``,
    row.flag === undefined ? '' : `\`--${row.flag}\``,
    defaultOf(row),
    row.what,
  ]);
  const head = ['variable', 'flag', 'default', 'meaning'];
  const widths = head.map((title, nth) => Math.max(title.length, ...cells.map((cell) => cell[nth]?.length ?? 0)));
  const render = (row: readonly string[]) => `| ${row.map((cell, nth) => cell.padEnd(widths[nth] ?? 0)).join(' | ')} |`;
  return [render(head), render(widths.map((width) => '-'.repeat(width))), ...cells.map(render)].join('\n');
}

function defaultOf(row: Setting<unknown>): string {
  if (row === settings.hostname || row === settings.agentId) return 'name of the machine';
  return row.fallback === '' ? 'unset' : `\`${row.fallback}\``;
}
