/** Where each character of a YAML scalar's value was written, so a problem inside an expression can be underlined. */
import { type Event, SCALAR_STYLE } from 'js-yaml';

export type ScalarEvent = Extract<Event, { valueStart: number }>;

/**
 * Source offsets of every UTF-16 unit of `value`, plus one past the end. Undefined where the writing and the value
 * have no simple correspondence: folded blocks and quoted or plain scalars that span lines.
 */
export function scalarOffsets(source: string, scalar: ScalarEvent, value: string): number[] | undefined {
  const offsets = walkScalar(source, scalar);
  // Chomping drops trailing line breaks, so a literal block may be written longer than its value.
  const hasTail = scalar.style === SCALAR_STYLE.LITERAL_BLOCK;
  if (offsets === undefined || (!hasTail && offsets.length !== value.length + 1)) return undefined;
  return offsets.length > value.length ? offsets.slice(0, value.length + 1) : undefined;
}

function walkScalar(source: string, scalar: ScalarEvent): number[] | undefined {
  const text = source.slice(scalar.valueStart, scalar.valueEnd);
  if (scalar.style === SCALAR_STYLE.LITERAL_BLOCK) return walkLiteral(text, scalar);
  if (scalar.style === SCALAR_STYLE.FOLDED_BLOCK || /[\r\n]/.test(text)) return undefined;
  return walkLine(text, scalar.valueStart, unitPattern(scalar));
}

/** What one unit of the value looks like when written in the scalar's style. */
function unitPattern(scalar: ScalarEvent): RegExp {
  switch (scalar.style) {
    case SCALAR_STYLE.SINGLE_QUOTED:
      return /''|./gs;
    case SCALAR_STYLE.DOUBLE_QUOTED:
      return /\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\.|./gs;
    default:
      return /./gs;
  }
}

function walkLine(text: string, start: number, unit: RegExp): number[] {
  const offsets = Array.from(text.matchAll(unit), (match) => start + match.index);
  return [...offsets, start + text.length];
}

function walkLiteral(text: string, scalar: ScalarEvent): number[] {
  const offsets: number[] = [];
  for (const line of text.matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)) {
    const start = scalar.valueStart + line.index;
    const width = line[1]?.length ?? 0;
    for (let column = scalar.indent; column < width; column++) offsets.push(start + column);
    if (line[2] !== '') offsets.push(start + width);
  }
  return [...offsets, scalar.valueEnd];
}
