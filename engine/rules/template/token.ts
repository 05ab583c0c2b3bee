/** The words of a template, as the lexer hands them to the parser. */
import { utf8Length } from './go-bytes.ts';
import { quote } from './go-quote.ts';

/** Words that mean something at the start of an action, and the two values that are words. */
const KEYWORDS = [
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'nil',
  'template',
  'with',
] as const;

export type Keyword = (typeof KEYWORDS)[number];

export type TokenKind =
  | Keyword
  | 'error'
  | 'bool'
  | 'character'
  | 'punctuation'
  | 'complex'
  | 'assign'
  | 'declare'
  | 'dot'
  | 'end of text'
  | 'field'
  | 'identifier'
  | 'left delimiter'
  | 'left parenthesis'
  | 'number'
  | 'pipe'
  | 'raw string'
  | 'right delimiter'
  | 'right parenthesis'
  | 'space'
  | 'string'
  | 'text'
  | 'variable';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Offset in the template. */
  readonly from: number;
  /** What is wrong, when the kind is `error`. */
  readonly mistake?: Mistake;
}

/** What is wrong with characters [from, to) of a template, in Go's words and in ours. */
export interface Mistake {
  readonly from: number;
  readonly to: number;
  /** Go's text. */
  readonly go: string;
  readonly message: string;
  readonly fix: string;
}

export function isKeyword(word: string): word is Keyword {
  return (KEYWORDS as readonly string[]).includes(word);
}

/** The token as Go's errors show it. */
export function tokenText({ kind, text }: Token): string {
  if (kind === 'end of text') return 'EOF';
  if (kind === 'dot' || isKeyword(kind)) return `<${text}>`;
  return utf8Length(text) > 10 ? `${quote([...text].slice(0, 10).join(''))}...` : quote(text);
}
