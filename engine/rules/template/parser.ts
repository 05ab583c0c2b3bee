/** Reads a template into trees: the text itself, and one more for every `define` and `block`. */
import type { Lexer } from './lexer.ts';
import type { Branch, List, Statement, TemplateCall, Tree } from './node.ts';
import { nodeText } from './node-text.ts';
import { PipelineParser } from './pipeline-parser.ts';
import type { Token } from './token.ts';
import { TokenBuffer } from './token-buffer.ts';

/** Go has no limit; this many never exhaust our stack. */
const MAX_NESTING = 250;

/** What the trees of one text share. */
export interface Parsing {
  readonly lexer: Lexer;
  readonly functions: ReadonlySet<string>;
  /** The trees so far, by name. */
  readonly trees: Map<string, Tree>;
}

/** What ended a list. */
interface Ending {
  readonly kind: 'end' | 'else';
  readonly token: Token;
}

interface Body {
  readonly list: List;
  readonly ending: Ending;
}

/** Parses a whole text as the template `name`. Throws SyntaxMistake at the first mistake. */
export function parseText(name: string, parsing: Parsing): void {
  new TreeParser(parsing).text(name);
}

class TreeParser {
  readonly #parsing: Parsing;
  readonly #tokens: TokenBuffer;
  readonly #pipelines: PipelineParser;
  #rangeDepth = 0;
  #nesting: number;

  constructor(parsing: Parsing, nesting = 0) {
    this.#parsing = parsing;
    this.#tokens = new TokenBuffer(parsing.lexer);
    this.#pipelines = new PipelineParser(this.#tokens, parsing.functions);
    this.#nesting = nesting;
  }

  text(name: string): void {
    const root: List = { kind: 'list', at: this.#tokens.peek().from, statements: [] };
    while (this.#tokens.peek().kind !== 'end of text') {
      if (this.#define()) continue;
      const found = this.#textOrAction();
      if (isEnding(found)) this.#strayEnding(found);
      root.statements.push(found);
    }
    this.#add({ name, root }, root.at);
  }

  #define(): boolean {
    const delimiter = this.#tokens.peek();
    if (delimiter.kind !== 'left delimiter') return false;
    this.#tokens.next();
    const word = this.#tokens.nextWord();
    if (word.kind === 'define') {
      new TreeParser(this.#parsing).definition();
      return true;
    }
    this.#tokens.back(delimiter, word);
    return false;
  }

  /** What follows `{{define`. */
  definition(): void {
    const token = this.#tokens.expect(['string', 'raw string'], 'define clause');
    const name = this.#pipelines.string(token);
    this.#tokens.expect(['right delimiter'], 'define clause');
    const { list, ending } = this.#list(token, 'define');
    if (ending.kind !== 'end') this.#unexpectedElse(ending, ' in define clause');
    this.#add({ name, root: list }, token.from);
  }

  #add(tree: Tree, at: number): void {
    const known = this.#parsing.trees.get(tree.name);
    if (known === undefined || isEmpty(known)) this.#parsing.trees.set(tree.name, tree);
    else if (!isEmpty(tree)) {
      const name = JSON.stringify(tree.name);
      const message = `a second template is named ${name}`;
      const go = `template: multiple definition of template ${name}`;
      this.#tokens.failWith({ from: at, to: at + name.length, go, message, fix: 'rename one of the two' });
    }
  }

  /** Statements up to `{{end}}` or `{{else}}`; `opener` is the token that began them. */
  #list(opener: Token, kind: string): Body {
    this.#nest(opener);
    const list: List = { kind: 'list', at: this.#tokens.peekWord().from, statements: [] };
    while (this.#tokens.peekWord().kind !== 'end of text') {
      const found = this.#textOrAction();
      if (isEnding(found)) {
        this.#nesting--;
        return { list, ending: found };
      }
      list.statements.push(found);
    }
    const place = { from: opener.from, to: opener.from + opener.text.length };
    const message = `{{${kind}}} is never ended`;
    return this.#tokens.failWith({ ...place, go: 'unexpected EOF', message, fix: 'add {{end}} where it ends' });
  }

  #nest({ from, text }: Token): void {
    if (++this.#nesting <= MAX_NESTING) return;
    const message = `more than ${MAX_NESTING} blocks are nested`;
    const place = { from, to: from + text.length };
    this.#tokens.failWith({ ...place, go: 'max nesting depth exceeded', message, fix: 'split the template' });
  }

  #textOrAction(): Statement | Ending {
    const token = this.#tokens.nextWord();
    if (token.kind === 'text') return { kind: 'text', at: token.from, text: token.text };
    if (token.kind !== 'left delimiter') return this.#tokens.refuse(token, 'input');
    this.#tokens.actionAt = token.from;
    const action = this.#action();
    this.#tokens.actionAt = undefined;
    return action;
  }

  #action(): Statement | Ending {
    const token = this.#tokens.nextWord();
    switch (token.kind) {
      case 'block':
        return this.#block(token);
      case 'break':
      case 'continue':
        return this.#jump(token.kind, token);
      case 'else':
        return this.#else(token);
      case 'end':
        this.#tokens.expect(['right delimiter'], 'end');
        return { kind: 'end', token };
      case 'if':
      case 'range':
      case 'with':
        return this.#branch(token.kind, token);
      case 'template':
        return this.#template();
      default:
        this.#tokens.back(token);
        return { kind: 'action', at: token.from, pipe: this.#pipelines.pipeline('command', 'right delimiter') };
    }
  }

  #jump(kind: 'break' | 'continue', { from }: Token): Statement {
    this.#tokens.expect(['right delimiter'], `{{${kind}}}`);
    if (this.#rangeDepth > 0) return { kind, at: from };
    const message = `{{${kind}}} stands outside of a loop`;
    const place = { from, to: from + kind.length };
    return this.#tokens.failWith({
      ...place,
      go: `{{${kind}}} outside {{range}}`,
      message,
      fix: 'put it inside {{range}}',
    });
  }

  #else(token: Token): Ending {
    const next = this.#tokens.peekWord();
    if (next.kind !== 'if' && next.kind !== 'with') this.#tokens.expect(['right delimiter'], 'else');
    return { kind: 'else', token };
  }

  #branch(kind: Branch['kind'], opener: Token): Branch {
    const declared = this.#pipelines.variables.length;
    const pipe = this.#pipelines.pipeline(kind, 'right delimiter');
    this.#rangeDepth += kind === 'range' ? 1 : 0;
    const { list, ending } = this.#list(opener, kind);
    this.#rangeDepth -= kind === 'range' ? 1 : 0;
    const elseList = ending.kind === 'else' ? this.#elseList(kind, opener, ending) : undefined;
    this.#pipelines.variables.length = declared;
    return { kind, at: pipe.at, pipe, list, elseList };
  }

  /** `{{else if}}` and `{{else with}}` are a branch of their own that shares its `{{end}}`. */
  #elseList(kind: Branch['kind'], opener: Token, { token }: Ending): List {
    const next = this.#tokens.peek();
    if (kind !== 'range' && next.kind === kind) {
      this.#tokens.next();
      this.#nest(next);
      const statements = [this.#branch(kind, next)];
      this.#nesting--;
      return { kind: 'list', at: token.from, statements };
    }
    const { list, ending } = this.#list(opener, kind);
    if (ending.kind === 'end') return list;
    const place = { from: ending.token.from, to: ending.token.from + 4 };
    const message = `{{${kind}}} has a second {{else}}`;
    return this.#tokens.failWith({
      ...place,
      go: 'expected end; found {{else}}',
      message,
      fix: 'remove one, or add {{end}}',
    });
  }

  #template(): TemplateCall {
    const token = this.#tokens.nextWord();
    const name = this.#templateName(token, 'template clause');
    const next = this.#tokens.nextWord();
    if (next.kind === 'right delimiter') return { kind: 'template', at: token.from, name, pipe: undefined };
    this.#tokens.back(next);
    const pipe = this.#pipelines.pipeline('template clause', 'right delimiter');
    return { kind: 'template', at: token.from, name, pipe };
  }

  #block(opener: Token): TemplateCall {
    const token = this.#tokens.nextWord();
    const name = this.#templateName(token, 'block clause');
    const pipe = this.#pipelines.pipeline('block clause', 'right delimiter');
    const parser = new TreeParser(this.#parsing, this.#nesting);
    const { list, ending } = parser.#list(opener, 'block');
    if (ending.kind !== 'end') return this.#unexpectedElse(ending, ' in block clause');
    parser.#add({ name, root: list }, token.from);
    return { kind: 'template', at: token.from, name, pipe };
  }

  #templateName(token: Token, context: string): string {
    const isName = token.kind === 'string' || token.kind === 'raw string';
    return isName ? this.#pipelines.string(token) : this.#tokens.refuse(token, context);
  }

  #strayEnding(ending: Ending): never {
    if (ending.kind === 'else') return this.#unexpectedElse(ending, '');
    const { from } = ending.token;
    const fix = 'remove it, or begin with {{if}}, {{with}} or {{range}}';
    const message = '{{end}} ends nothing';
    return this.#tokens.failWith({ from, to: from + 3, go: 'unexpected {{end}}', message, fix });
  }

  #unexpectedElse({ token: { from } }: Ending, context: string): never {
    const fix = 'remove it, or put it between {{if}}, {{with}} or {{range}} and its {{end}}';
    const message = '{{else}} belongs to nothing';
    return this.#tokens.failWith({ from, to: from + 4, go: `unexpected {{else}}${context}`, message, fix });
  }
}

function isEnding(found: Statement | Ending): found is Ending {
  return found.kind === 'end' || found.kind === 'else';
}

/** A template of nothing but blanks may be defined again. */
function isEmpty({ root }: Tree): boolean {
  return root.statements.every((statement) => statement.kind === 'text' && nodeText(statement).trim() === '');
}
