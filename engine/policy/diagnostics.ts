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

/**
 * Renders diagnostics for a terminal, sorted, without colour:
 * `rules/policy.yml:12:7: error: unknown key "tresholds"`, the source line, a caret underline, `fix: …`.
 * `sources` maps a diagnostic's file to its text; without it the line and caret are left out.
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: Readonly<Record<string, string>> = {},
): string {
  return sortDiagnostics(diagnostics)
    .map((diagnostic) => renderOne(diagnostic, sources[diagnostic.file]))
    .join('\n');
}

function renderOne(diagnostic: Diagnostic, source: string | undefined): string {
  const { file, line, column, severity, message, fix } = diagnostic;
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  const lines = [`${place}: ${severity}: ${message}`, ...excerpt(diagnostic, source)];
  if (fix !== '') lines.push(`  fix: ${fix}`);
  return `${lines.join('\n')}\n`;
}

function excerpt(diagnostic: Diagnostic, source: string | undefined): string[] {
  const text = diagnostic.line > 0 ? source?.split(/\r\n|\r|\n/)[diagnostic.line - 1] : undefined;
  if (text === undefined) return [];
  const gutter = `  ${diagnostic.line} | `;
  // Tabs are repeated in the padding, so the caret stays under its column whatever the terminal's tab width.
  const padding = text.slice(0, diagnostic.column - 1).replace(/[^\t]/g, ' ');
  const width = Math.max(1, (diagnostic.endColumn ?? diagnostic.column + 1) - diagnostic.column);
  return [`${gutter}${text}`, `${' '.repeat(gutter.length - 2)}| ${padding}${'^'.repeat(width)}`];
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
