/** Something wrong in a file that a person wrote, and how it is shown: file:line:column, the line, a caret, the fix. */

/** Lines and columns count from 1; `endColumn` is exclusive and on the same line. */
export interface Diagnostic {
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
  readonly message: string;
  /** One imperative sentence; a function where it takes time to find, which is then done only for what is shown. */
  readonly fix: string | (() => string);
}

const maxShown = 20;
const maxWidth = 160;

/** At most twenty, in the order of the file, and how many more there are. `lines` are those of the file. */
export function renderDiagnostics(file: string, lines: readonly string[], all: readonly Diagnostic[]): string[] {
  const sorted = all.toSorted((left, right) => left.line - right.line || left.column - right.column);
  const shown = sorted.slice(0, maxShown).map((diagnostic) => renderOne(file, lines, diagnostic));
  return sorted.length > maxShown ? [...shown, `${file}: and ${sorted.length - maxShown} more like these.`] : shown;
}

function renderOne(file: string, lines: readonly string[], diagnostic: Diagnostic): string {
  const { line, column, message, fix } = diagnostic;
  const head = `${file}:${line}:${column}: ${message}`;
  return [head, ...excerpt(lines[line - 1], diagnostic), `  fix: ${typeof fix === 'string' ? fix : fix()}`].join('\n');
}

// A line too long for a terminal is cut, and so is its underline.
function excerpt(text: string | undefined, { line, column, endColumn }: Diagnostic): readonly string[] {
  if (text === undefined || column > maxWidth) return [];
  const gutter = `  ${line} | `;
  // Tabs are repeated in the padding, so that the caret stays under its column whatever the terminal's tab width.
  const padding = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
  const width = Math.max(1, Math.min(endColumn, maxWidth + 1) - column);
  const visible = text.slice(0, maxWidth).replace(/\p{Cc}/gu, (control) => (control === '\t' ? control : '�'));
  return [`${gutter}${visible}`, `${' '.repeat(gutter.length - 2)}| ${padding}${'^'.repeat(width)}`];
}
