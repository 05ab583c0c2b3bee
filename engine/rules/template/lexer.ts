/** Cuts a template into tokens: plain text, and the words inside `{{` and `}}`. */

import { NO_FLAGS } from './flags.ts';
import { quote } from './go-quote.ts';
import { isKeyword, type Mistake, type Token, type TokenKind } from './token.ts';
import { formatVerb } from './verb.ts';

const RIGHT_DELIMITER = /[ \t\r\n]-\}\}|\}\}/y;
const SPACES = /[ \t\r\n]+/y;
const WORD = /[\p{L}\p{Nd}_]+/uy;
const COMMENT = /\/\*.*?\*\//sy;
const SCAN_NUMBER =
  /[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/suy;
const CHARACTER = /'(?:[^'\\\n]|\\[^\n])*'/suy;
const RAW_STRING = /`[^`]*`/y;

const SINGLE: Readonly<Record<string, TokenKind>> = { '=': 'assign', '|': 'pipe', '(': 'left parenthesis' };

export class Lexer {
  readonly #text: string;
  #at = 0;
  #isInAction = false;
  #depth = 0;
  /** Offset of the `{{` that is open, and of the `(`. */
  #opened = { action: 0, parenthesis: 0 };

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    return this.#isInAction ? this.#inAction() : this.#inText();
  }

  #inText(): Token {
    for (;;) {
      const from = this.#at;
      const open = this.#text.indexOf('{{', from);
      if (open === -1) return this.#take(from === this.#text.length ? 'end of text' : 'text', this.#text.length);
      const text = this.#text.slice(from, open);
      const shown = this.#trimsBefore(open) ? text.replace(/[ \t\r\n]+$/, '') : text;
      this.#at = open;
      if (shown !== '') return { kind: 'text', text: shown, from };
      const start = open + 2 + (this.#trimsBefore(open) ? 2 : 0);
      if (!this.#text.startsWith('/*', start)) return this.#openAction(open, start);
      const mistake = this.#skipComment(open, start);
      if (mistake !== undefined) return this.#error(mistake);
    }
  }

  #trimsBefore(open: number): boolean {
    return /^-[ \t\r\n]/.test(this.#text.slice(open + 2, open + 4));
  }

  #openAction(open: number, start: number): Token {
    this.#at = start;
    this.#isInAction = true;
    this.#depth = 0;
    this.#opened.action = open;
    return { kind: 'left delimiter', text: '{{', from: open };
  }

  #skipComment(open: number, start: number): Mistake | undefined {
    const comment = match(COMMENT, this.#text, start);
    const to = this.#text.length;
    if (comment === undefined) {
      return {
        from: open,
        to,
        go: 'unclosed comment',
        message: 'the comment is never closed',
        fix: 'end it with "*/}}"',
      };
    }
    const end = start + comment.length;
    const delimiter = match(RIGHT_DELIMITER, this.#text, end);
    if (delimiter === undefined) {
      const message = 'the comment ends before the action does';
      return {
        from: open,
        to: end,
        go: 'comment ends before closing delimiter',
        message,
        fix: 'let "}}" follow its "*/"',
      };
    }
    this.#at = this.#afterDelimiter(end, delimiter);
    return undefined;
  }

  #afterDelimiter(at: number, delimiter: string): number {
    const end = at + delimiter.length;
    return delimiter === '}}' ? end : end + (match(SPACES, this.#text, end) ?? '').length;
  }

  #inAction(): Token {
    const from = this.#at;
    const delimiter = match(RIGHT_DELIMITER, this.#text, from);
    if (delimiter !== undefined) return this.#closeAction(delimiter);
    const letter = String.fromCodePoint(this.#text.codePointAt(from) ?? 0);
    if (from >= this.#text.length) return this.#error(this.#unclosedAction());
    if (/[ \t\r\n]/.test(letter)) return this.#space();
    const single = SINGLE[letter];
    if (letter === '(') this.#opened.parenthesis = this.#depth++ === 0 ? from : this.#opened.parenthesis;
    if (single !== undefined) return this.#take(single, from + 1);
    return this.#word(letter);
  }

  #word(letter: string): Token {
    const from = this.#at;
    if (letter === ':') return this.#declaration();
    if (letter === ')') return this.#closeParenthesis();
    if (letter === '"') return this.#quoted('string', STRING, 'quoted string');
    if (letter === '`') return this.#quoted('raw string', RAW_STRING, 'raw quoted string');
    if (letter === "'") return this.#quoted('character', CHARACTER, 'character constant');
    if (letter === '$') return this.#name('variable', from + 1);
    if (letter === '.' && /[^0-9]/.test(this.#text[from + 1] ?? '')) return this.#name('field', from + 1);
    if (/[-+.0-9]/.test(letter)) return this.#number();
    if (/[\p{L}\p{Nd}_]/u.test(letter)) return this.#name('identifier', from);
    if (/[\x20-\x7e]/.test(letter)) return this.#take('punctuation', from + 1);
    return this.#error(strangeLetter(letter, from));
  }

  #closeAction(delimiter: string): Token {
    const from = this.#at;
    if (this.#depth > 0) {
      const message = '"(" is never closed';
      const place = { from: this.#opened.parenthesis, to: from };
      return this.#error({ ...place, go: 'unclosed left paren', message, fix: 'add ")" before "}}"' });
    }
    this.#isInAction = false;
    this.#at = this.#afterDelimiter(from, delimiter);
    return { kind: 'right delimiter', text: '}}', from: from + delimiter.length - 2 };
  }

  /** The last space belongs to a trim marker that follows. */
  #space(): Token {
    const end = this.#at + (match(SPACES, this.#text, this.#at) ?? '').length;
    const isBeforeMarker = match(RIGHT_DELIMITER, this.#text, end - 1) !== undefined;
    return this.#take('space', isBeforeMarker ? end - 1 : end);
  }

  #declaration(): Token {
    const from = this.#at;
    if (this.#text[from + 1] === '=') return this.#take('declare', from + 2);
    const fix = 'write ":=" to declare a variable';
    return this.#error({ from, to: from + 1, go: 'expected :=', message: '":" means nothing here', fix });
  }

  #closeParenthesis(): Token {
    const from = this.#at;
    if (this.#depth-- > 0) return this.#take('right parenthesis', from + 1);
    const message = '")" closes nothing';
    return this.#error({
      from,
      to: from + 1,
      go: 'unexpected right paren',
      message,
      fix: 'remove it, or add "(" before',
    });
  }

  #quoted(kind: TokenKind, pattern: RegExp, go: string): Token {
    const from = this.#at;
    const found = match(pattern, this.#text, from);
    if (found !== undefined) return this.#take(kind, from + found.length);
    const lineEnd = kind === 'raw string' ? -1 : this.#text.indexOf('\n', from);
    const to = lineEnd === -1 ? this.#text.length : lineEnd;
    const mark = this.#text[from] ?? '';
    const fix = `add the closing ${mark}${kind === 'string' ? ' on the same line; inside the text write \\" for a quote' : ''}`;
    return this.#error({ from, to, go: `unterminated ${go}`, message: `the text after ${mark} is never closed`, fix });
  }

  #name(kind: 'variable' | 'field' | 'identifier', start: number): Token {
    const from = this.#at;
    const end = start + (match(WORD, this.#text, start) ?? '').length;
    if (!this.#endsWord(end)) return this.#error(badLetter(this.#text, from, end));
    const word = this.#text.slice(from, end);
    if (kind === 'field' && word === '.') return this.#take('dot', end);
    if (kind !== 'identifier') return this.#take(kind, end);
    if (word === 'true' || word === 'false') return this.#take('bool', end);
    return this.#take(isKeyword(word) ? word : 'identifier', end);
  }

  /** A name may only be followed by what cannot be taken for arithmetic. */
  #endsWord(at: number): boolean {
    return at >= this.#text.length || /^(?:[ \t\r\n.,|:()]|\}\})/.test(this.#text.slice(at, at + 2));
  }

  #number(): Token {
    const from = this.#at;
    let end = from + this.#numberLength(from);
    if (this.#continuesWord(end)) return this.#badNumber(end);
    if (!/[+-]/.test(this.#text[end] ?? '')) return this.#take('number', end);
    end += this.#numberLength(end);
    if (this.#continuesWord(end)) return this.#badNumber(end);
    return this.#text[end - 1] === 'i' ? this.#take('complex', end) : this.#badNumber(end, true);
  }

  #numberLength(at: number): number {
    return (match(SCAN_NUMBER, this.#text, at) ?? '').length;
  }

  #continuesWord(at: number): boolean {
    return match(WORD, this.#text, at) !== undefined;
  }

  #badNumber(end: number, isWhole = false): Token {
    const from = this.#at;
    const last = isWhole ? '' : String.fromCodePoint(this.#text.codePointAt(end) ?? 0);
    const to = end + last.length;
    const number = this.#text.slice(from, to);
    const fix = 'write it like 15, 0.5, 1e6 or 0x1F; templates have no arithmetic';
    return this.#error({
      from,
      to,
      go: `bad number syntax: ${quote(number)}`,
      message: `${quote(number)} is no number`,
      fix,
    });
  }

  #unclosedAction(): Mistake {
    const place = { from: this.#opened.action, to: this.#text.length };
    return { ...place, go: 'unclosed action', message: '"{{" is never closed', fix: 'close it with "}}"' };
  }

  #take(kind: TokenKind, end: number): Token {
    const from = this.#at;
    this.#at = end;
    return { kind, text: this.#text.slice(from, end), from };
  }

  #error(mistake: Mistake): Token {
    return { kind: 'error', text: mistake.go, from: this.#at, mistake };
  }
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function strangeLetter(letter: string, from: number): Mistake {
  const go = `unrecognized character in action: ${codePointText(letter)}`;
  const message = `${quote(letter)} cannot stand in an action`;
  return { from, to: from + letter.length, go, message, fix: 'remove it, or put it between quotes' };
}

function badLetter(text: string, from: number, end: number): Mistake {
  const letter = String.fromCodePoint(text.codePointAt(end) ?? 0);
  const message = `${quote(letter)} cannot follow ${quote(text.slice(from, end))} directly`;
  const to = end + letter.length;
  return {
    from,
    to,
    go: `bad character ${codePointText(letter)}`,
    message,
    fix: 'put a space between; templates have no arithmetic',
  };
}

function codePointText(letter: string): string {
  return formatVerb(BigInt(letter.codePointAt(0) ?? 0), 'U', { ...NO_FLAGS, sharp: true });
}
