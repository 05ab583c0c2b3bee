/** Joins the lines of a scalar as YAML does: one break is a space, more breaks are one fewer; blanks around them go. */
import { type Cursor, charAt, skip, skipBreak } from './cursor.ts';
import { ScalarBuilder, type ScalarText } from './scalar-text.ts';

interface Piece {
  readonly text: string;
  readonly offset: number;
}

export class LineFolder {
  private readonly cursor: Cursor;
  private readonly builder = new ScalarBuilder();
  private blanks: Piece[] = [];
  private breaks: Piece[] = [];

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  /** Whether only indentation was read since the last line break. */
  get isAtLineStart(): boolean {
    return this.breaks.length > 0;
  }

  /** Takes one character of the scalar, as it is or as `text`, which `length` characters stand for. */
  take(text = charAt(this.cursor), length = 1): void {
    this.join();
    this.builder.add(text, this.cursor.offset, length);
    skip(this.cursor, length);
  }

  takeBlank(): void {
    if (!this.isAtLineStart) this.blanks.push({ text: charAt(this.cursor), offset: this.cursor.offset });
    skip(this.cursor);
  }

  takeBreak(): void {
    this.blanks = [];
    const { offset } = this.cursor;
    this.breaks.push({ text: skipBreak(this.cursor), offset });
  }

  /** Takes an escaped line break: the lines are joined without a space. */
  takeEscapedBreak(): void {
    this.join();
    skip(this.cursor);
    const { offset } = this.cursor;
    skipBreak(this.cursor);
    this.breaks.push({ text: '', offset });
  }

  /** Adds the gap that was read to the value. */
  join(): void {
    const [first, ...more] = this.breaks;
    const folded =
      first?.text === '\n' ? (more.length > 0 ? more : [{ text: ' ', offset: first.offset }]) : this.breaks;
    for (const { text, offset } of [...this.blanks, ...folded]) this.builder.add(text, offset);
    this.blanks = [];
    this.breaks = [];
  }

  build(): ScalarText {
    return this.builder.build();
  }
}
