import type { Position } from './diagnostics.ts';

/** Turns offsets of a text into lines and columns. */
export interface LineIndex {
  /** The position of [start, end), cut at the end of the line it starts on; at least one column wide. */
  position(start: number, end: number): Position;
}

/** Indexes the lines of `source`; YAML's line breaks are LF, CRLF and CR. */
export function indexLines(source: string): LineIndex {
  const starts = [0, ...Array.from(source.matchAll(/\r\n|\r|\n/g), (match) => match.index + match[0].length)];
  return {
    position(start, end) {
      const line = lineOf(starts, start);
      const lineStart = starts[line] ?? 0;
      const lineEnd = endOfLine(source, lineStart);
      const column = Math.min(start, lineEnd) - lineStart + 1;
      return { line: line + 1, column, endColumn: Math.max(column + 1, Math.min(end, lineEnd) - lineStart + 1) };
    },
  };
}

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function endOfLine(source: string, lineStart: number): number {
  const length = source.slice(lineStart).search(/[\r\n]/);
  return length === -1 ? source.length : lineStart + length;
}
