/** Other people's words on a terminal: they must neither move its cursor nor break a column. */

// Emoji and the scripts of East Asia take two columns; a few rarer signs are counted as one and only shift their line.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** The words on one line, with a blank for everything that controls a terminal or cannot be seen. */
export function plainText(text: string): string {
  return text.replace(INVISIBLE, ' ').trim();
}

/** JSON for people and programs: the same value, with every character that a terminal would act upon as an escape. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(INVISIBLE, (found) => (found === '\n' ? found : escaped(found)));
}

function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}

/** How many columns plain text takes. */
export function columnsOf(text: string): number {
  return [...text].reduce((sum, letter) => sum + widthOf(letter), 0);
}

/** At most `columns` of plain text; where something is cut off, the last of them is an ellipsis. */
export function fitted(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let [kept, used] = ['', 1];
  for (const letter of text) {
    used += widthOf(letter);
    if (used > columns) break;
    kept += letter;
  }
  return columns < 1 ? '' : `${kept.trimEnd()}…`;
}

/** Plain text in lines of at most `columns`, broken between words; a longer word is cut. */
export function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    const longer = `${line} ${word}`;
    if (line !== undefined && columnsOf(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(fitted(word, columns));
  }
  return lines;
}

function widthOf(letter: string): number {
  return WIDE.test(letter) ? 2 : 1;
}
