/** Problems in policy and rule files, and how they are shown: file:line:column, the line, a caret, the fix. */

/** A place in a text. Lines and columns count from 1; `endColumn` is exclusive and on the same line. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
}

export interface Diagnostic {
  /** Path as the user gave it, or `environment`. */
  readonly file: string;
  /** 0 when the problem has no line: an environment variable, an unreadable file. */
  readonly line: number;
  readonly column: number;
  readonly endColumn?: number;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** One imperative sentence; empty when the message already says everything. */
  readonly fix: string;
}

/** Orders diagnostics by file, then position, then severity, so that a report reads top to bottom. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) =>
      compareText(a.file, b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      compareText(a.severity, b.severity) ||
      compareText(a.message, b.message),
  );
}

/** A file with more mistakes than this is mended piece by piece. */
const MAX_SHOWN_PER_FILE = 50;
/** Characters of a line that are shown: rule files in JSON are one line. */
const MAX_WIDTH = 120;
/** How many of them come before the mistake, where the line is longer. */
const LEAD = 40;

/**
 * Renders diagnostics for a terminal, sorted, without colour:
 * `rules/policy.yml:12:7: error: unknown key "tresholds"`, the source line, a caret underline, `fix: …`.
 * `sources` maps a diagnostic's file to its text; without it the line and caret are left out. Of a long line the part
 * around the mistake is shown, and of very many problems in one file the first, errors before warnings.
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: Readonly<Record<string, string>> = {},
): string {
  const byFile = Map.groupBy(sortDiagnostics(diagnostics), ({ file }) => file);
  return Array.from(byFile, ([file, all]) => renderFile(file, all, sources[file])).join('\n');
}

function renderFile(file: string, all: readonly Diagnostic[], source: string | undefined): string {
  const lines = source?.split(/\r\n|\r|\n/);
  const errorsFirst = all.toSorted((a, b) => compareText(a.severity, b.severity));
  const shown = new Set(errorsFirst.slice(0, MAX_SHOWN_PER_FILE));
  const rendered = all.filter((one) => shown.has(one)).map((one) => renderOne(one, lines?.[one.line - 1]));
  if (all.length > shown.size) rendered.push(`${file}: … and ${all.length - shown.size} more\n`);
  return rendered.join('\n');
}

function renderOne(diagnostic: Diagnostic, text: string | undefined): string {
  const { file, line, column, severity, message, fix } = diagnostic;
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  const lines = [`${place}: ${severity}: ${message}`, ...(text === undefined ? [] : excerpt(diagnostic, text))];
  if (fix !== '') lines.push(`  fix: ${fix}`);
  return `${lines.join('\n')}\n`;
}

function excerpt({ line, column, endColumn = column + 1 }: Diagnostic, text: string): string[] {
  const gutter = `  ${line} | `;
  const [from, to] = cutOf(text, column - 1);
  const [start, end] = [from > 0 ? '…' : '', to < text.length ? '…' : ''];
  // Tabs are repeated in the padding, so the caret stays under its column whatever the terminal's tab width.
  const padding = `${start}${text.slice(from, column - 1)}`.replace(/[^\t]/g, ' ');
  const width = Math.max(1, Math.min(endColumn - 1, to) - (column - 1));
  const shown = `${start}${text.slice(from, to)}${end}`;
  return [`${gutter}${shown}`, `${' '.repeat(gutter.length - 2)}| ${padding}${'^'.repeat(width)}`];
}

/** The part of a line that is shown for a mistake at `index`: all of it, or what lies around the mistake. */
function cutOf(text: string, index: number): readonly [from: number, to: number] {
  if (text.length <= MAX_WIDTH) return [0, text.length];
  const from = Math.max(0, Math.min(index - LEAD, text.length - MAX_WIDTH));
  return [
    splitsPair(text, from) ? from + 1 : from,
    splitsPair(text, from + MAX_WIDTH) ? from + MAX_WIDTH - 1 : from + MAX_WIDTH,
  ];
}

/** Letters beyond the first 65,536 are two places in a text, and half of one is no letter. */
function splitsPair(text: string, index: number): boolean {
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(index - 1, index + 1));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
