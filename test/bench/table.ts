/** Bench figures as text: what, measured, bar, and whether it is held. */
import type { BenchFigure } from './figure.ts';

export function renderTable(title: string, figures: readonly BenchFigure[]): string {
  const rows = figures.map((figure) => cellsOf(figure));
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `  ${row.map((cell, column) => pad(cell, column, widths)).join('  ')}`.trimEnd());
  return `${title}\n${lines.join('\n')}\n\n`;
}

function cellsOf({ name, value, unit, bar = '', ok }: BenchFigure): readonly string[] {
  const verdict = ok === undefined ? '' : ok ? 'ok' : 'missed';
  return [name, `${rounded(value)} ${unit}`, bar, verdict];
}

function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function pad(cell: string, column: number, widths: readonly number[]): string {
  return cell.padEnd(widths[column] ?? 0);
}
