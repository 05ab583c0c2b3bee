/** A view that is drawn again and again in the same place, and leaves the terminal as it was. */

/** What is needed of standard output. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface LiveScreen {
  draw(lines: readonly string[]): void;
  /** Gives back what was on the terminal before. */
  close(): void;
}

const ESC = '\u001b[';
const OPEN = `${ESC}?1049h${ESC}?25l`;
const CLOSE = `${ESC}?25h${ESC}?1049l`;
// Terminals that know these show a frame only when it is whole; others ignore them.
const BEGIN = `${ESC}?2026h`;
const END = `${ESC}?2026l`;
const HOME = `${ESC}H`;
const REST_OF_LINE = `${ESC}K`;
const REST_OF_SCREEN = `${ESC}J`;

/** Takes the second screen of the terminal, on which nothing scrolls away. */
export function openScreen(terminal: Terminal): LiveScreen {
  terminal.write(OPEN);
  return {
    // Each line is written over the old one and only its rest is cleared: nothing is ever blank in between.
    draw: (lines) => {
      const frame = lines.map((line) => `${line}${REST_OF_LINE}`).join('\r\n');
      terminal.write(`${BEGIN}${HOME}${frame}${REST_OF_SCREEN}${END}`);
    },
    close: () => void terminal.write(CLOSE),
  };
}
