/** Columns of plain text. */
import { columnsOf, fitted } from './plain-text.ts';

/** A cell that is coloured after it was measured. */
export interface Cell {
  readonly text: string;
  readonly paint: (text: string) => string;
}

type Row = readonly (string | Cell)[];

/** A line for each row, columns two blanks apart; lines are cut at `columns`, where there is such an end. */
export function textTable(rows: readonly Row[], columns = Number.POSITIVE_INFINITY): readonly string[] {
  const most = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: most }, (_, at) => Math.max(...rows.map((row) => columnsOf(textOf(row[at])))));
  return rows.map((row) => lineOf(row, widths, columns));
}

function textOf(cell: string | Cell | undefined): string {
  return typeof cell === 'object' ? cell.text : (cell ?? '');
}

function lineOf(row: Row, widths: readonly number[], columns: number): string {
  let line = '';
  let [used, blanks] = [0, 0];
  for (const [at, cell] of row.entries()) {
    const text = fitted(textOf(cell), columns - used - blanks);
    if (text !== '') {
      line += ' '.repeat(blanks) + (typeof cell === 'object' ? cell.paint(text) : text);
      used += blanks + columnsOf(text);
      blanks = 0;
    }
    blanks += (widths[at] ?? 0) - columnsOf(text) + 2;
  }
  return line;
}
