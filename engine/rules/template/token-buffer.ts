/** Looks up to three tokens ahead, which is what the grammar needs. */
import type { Lexer } from './lexer.ts';
import { type Mistake, type Token, type TokenKind, tokenText } from './token.ts';

/** Where Go says a mistake is: the line of a token, and of the action around a token that cannot be read. */
export interface GoPlace {
  /** Offset of the token that was read last. */
  readonly lineAt: number;
  readonly actionAt?: number;
}

/** The template is no template; carries where and why. */
export class SyntaxMistake extends Error {
  override readonly name = 'SyntaxMistake';
  readonly mistake: Mistake;
  readonly place: GoPlace;

  constructor(mistake: Mistake, place: GoPlace) {
    super(mistake.message);
    this.mistake = mistake;
    this.place = place;
  }
}

export class TokenBuffer {
  readonly #lexer: Lexer;
  /** The tokens that were put back, the next one last. */
  readonly #waiting: Token[] = [];
  /** The token that was read from the text last. */
  #latest: Token | undefined;
  /** Offset of the `{{` of the action at hand. */
  actionAt: number | undefined;

  constructor(lexer: Lexer) {
    this.#lexer = lexer;
  }

  next(): Token {
    return this.#waiting.pop() ?? this.#read();
  }

  /** Puts tokens back, the first of them to be read first. */
  back(...tokens: readonly Token[]): void {
    this.#waiting.push(...tokens.toReversed());
  }

  peek(): Token {
    const token = this.next();
    this.back(token);
    return token;
  }

  nextWord(): Token {
    let token = this.next();
    while (token.kind === 'space') token = this.next();
    return token;
  }

  peekWord(): Token {
    const token = this.nextWord();
    this.back(token);
    return token;
  }

  expect(kinds: readonly TokenKind[], context: string): Token {
    const token = this.nextWord();
    return kinds.includes(token.kind) ? token : this.refuse(token, context);
  }

  /** Fails because of a token that cannot stand in `context`. */
  refuse(token: Token, context: string): never {
    if (token.mistake !== undefined) throw new SyntaxMistake(token.mistake, this.#placeOf(token));
    const { from } = token;
    const go = `unexpected ${tokenText(token)} in ${context}`;
    return this.failWith({ from, to: from + token.text.length, go, ...unexpected(token, context) });
  }

  failWith(mistake: Mistake): never {
    throw new SyntaxMistake(mistake, { lineAt: this.#latest?.from ?? 0 });
  }

  #placeOf(token: Token): GoPlace {
    return { lineAt: token.from, ...(this.actionAt !== undefined && { actionAt: this.actionAt }) };
  }

  #read(): Token {
    this.#latest = this.#lexer.next();
    return this.#latest;
  }
}

function unexpected(token: Token, context: string): Pick<Mistake, 'message' | 'fix'> {
  const place = context === 'command' || context === 'operand' ? 'the action' : `the ${context.replace(/[{}]/g, '"')}`;
  if (token.kind === 'right parenthesis')
    return { message: `")" has no place in ${place}`, fix: 'write a value before it' };
  if (token.kind === 'right delimiter')
    return { message: `"}}" ends ${place} too early`, fix: 'write what is missing before it' };
  const fix = 'write functions and values with spaces between them, such as {{ $value | humanize }}';
  return { message: `${JSON.stringify(token.text)} has no place in ${place}`, fix };
}
