/** Reads pipelines: declarations, commands between `|`, operands with their fields. */
import { nearestName } from '../../policy/nearest-name.ts';
import { unquote } from './go-quote.ts';
import type { Command, Operand, Pipe, Variable } from './node.ts';
import { nodeText } from './node-text.ts';
import { readNumber } from './number-literal.ts';
import type { Token, TokenKind } from './token.ts';
import type { TokenBuffer } from './token-buffer.ts';

/** Go stops at 10,000; nobody writes more than a few, and this many never exhaust our stack. */
const MAX_DEPTH = 250;

export class PipelineParser {
  readonly #tokens: TokenBuffer;
  readonly #functions: ReadonlySet<string>;
  /** The variables that are declared where the parser is. */
  readonly variables: string[] = ['$'];
  #depth = 0;

  constructor(tokens: TokenBuffer, functions: ReadonlySet<string>) {
    this.#tokens = tokens;
    this.#functions = functions;
  }

  /** A pipeline up to and with the token that ends it. */
  pipeline(context: string, end: TokenKind): Pipe {
    const first = this.#tokens.peekWord();
    const pipe: Pipe = { kind: 'pipe', at: first.from, variables: [], isAssignment: false, commands: [] };
    this.#declarations(pipe, context);
    for (;;) {
      const token = this.#tokens.nextWord();
      if (token.kind === end) break;
      if (!STARTS_OPERAND.has(token.kind)) return this.#tokens.refuse(token, context);
      this.#tokens.back(token);
      pipe.commands.push(this.#command());
    }
    this.#check(pipe, context, first);
    return pipe;
  }

  #declarations(pipe: Pipe, context: string): void {
    const variable = this.#tokens.peekWord();
    if (variable.kind !== 'variable') return;
    this.#tokens.next();
    const after = this.#tokens.peek();
    const next = this.#tokens.peekWord();
    const isComma = next.kind === 'punctuation' && next.text === ',';
    if (next.kind !== 'assign' && next.kind !== 'declare' && !isComma) {
      this.#tokens.back(variable, ...(after.kind === 'space' ? [after] : []));
      return;
    }
    if (!isComma) pipe.isAssignment = next.kind === 'assign';
    this.#tokens.nextWord();
    pipe.variables.push(variableNode(variable));
    this.variables.push(variable.text);
    if (isComma) this.#secondDeclaration(pipe, context, next);
  }

  #secondDeclaration(pipe: Pipe, context: string, comma: Token): void {
    const place = { from: comma.from, to: comma.from + 1 };
    if (context !== 'range' || pipe.variables.length > 1) {
      const fix = 'declare one variable, or two in {{range $index, $element := …}}';
      const message = 'too many variables are declared';
      this.#tokens.failWith({ ...place, go: `too many declarations in ${context}`, message, fix });
    }
    const { kind } = this.#tokens.peekWord();
    if (kind !== 'variable' && kind !== 'right delimiter' && kind !== 'right parenthesis') {
      const message = '"range" can only set variables';
      const fix = 'write {{range $index, $element := …}}';
      this.#tokens.failWith({ ...place, go: 'range can only initialize variables', message, fix });
    }
    this.#declarations(pipe, context);
  }

  #check({ commands }: Pipe, context: string, { from }: Token): void {
    if (commands.length === 0) {
      const message = `a value is missing ${context === 'command' ? 'in the action' : `for "${context}"`}`;
      const fix = 'write one, such as $value or $labels.instance';
      this.#tokens.failWith({ from, to: from + 2, go: `missing value for ${context}`, message, fix });
    }
    const index = commands.findIndex(({ operands: [first] }, at) => at > 0 && first !== undefined && isConstant(first));
    const command = commands[index];
    if (command === undefined) return;
    const place = { from: command.at, to: command.at + nodeText(command).length };
    const message = `${nodeText(command)} after "|" is no function`;
    const go = `non executable command in pipeline stage ${index + 1}`;
    this.#tokens.failWith({ ...place, go, message, fix: 'write a function after "|", the value before it' });
  }

  #command(): Command {
    const { from } = this.#tokens.peekWord();
    const command: Command = { kind: 'command', at: from, operands: [] };
    for (;;) {
      this.#tokens.peekWord();
      const operand = this.#operand();
      if (operand !== undefined) command.operands.push(operand);
      const token = this.#tokens.next();
      if (token.kind === 'space') continue;
      if (token.kind === 'right delimiter' || token.kind === 'right parenthesis') this.#tokens.back(token);
      else if (token.kind !== 'pipe') this.#tokens.refuse(token, 'operand');
      break;
    }
    if (command.operands.length > 0) return command;
    const fix = 'write a function or a value between the two "|"';
    return this.#tokens.failWith({ from, to: from + 1, go: 'empty command', message: 'a command is missing', fix });
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    const next = this.#tokens.peek();
    if (term === undefined || next.kind !== 'field') return term;
    const path: string[] = [];
    while (this.#tokens.peek().kind === 'field') path.push(this.#tokens.next().text.slice(1));
    if (term.kind === 'field' || term.kind === 'variable')
      return { ...term, at: next.from, path: [...term.path, ...path] };
    if (!isConstant(term)) return { kind: 'chain', at: next.from, operand: term, path };
    const message = `${nodeText(term)} has no fields`;
    const go = `unexpected . after term ${JSON.stringify(nodeText(term))}`;
    const place = { from: term.at, to: next.from + next.text.length };
    return this.#tokens.failWith({ ...place, go, message, fix: `remove "${next.text}"` });
  }

  #term(): Operand | undefined {
    const token = this.#tokens.nextWord();
    const { from: at } = token;
    switch (token.kind) {
      case 'identifier':
        return this.#identifier(token);
      case 'dot':
      case 'nil':
        return { kind: token.kind, at };
      case 'variable':
        return this.#variable(token);
      case 'field':
        return { kind: 'field', at, path: [token.text.slice(1)] };
      case 'bool':
        return { kind: 'bool', at, isTrue: token.text === 'true' };
      case 'character':
      case 'complex':
      case 'number':
        return this.#number(token);
      case 'left parenthesis':
        return this.#parenthesis(token);
      case 'string':
      case 'raw string':
        return { kind: 'string', at, quoted: token.text, text: this.string(token) };
      default:
        this.#tokens.back(token);
        return undefined;
    }
  }

  /** The text of a string token. */
  string(token: Token): string {
    const text = unquote(token.text);
    if (text !== undefined) return text;
    const place = { from: token.from, to: token.from + token.text.length };
    const message = `${token.text} holds an escape that templates do not know`;
    const fix = String.raw`known are \n \t \r \a \b \f \v \\ \" \xFF \377 \uFFFF \U0010FFFF; write \\ for a backslash, or use back quotes`;
    return this.#tokens.failWith({ ...place, go: 'invalid syntax', message, fix });
  }

  #identifier(token: Token): Operand {
    const name = token.text;
    if (this.#functions.has(name)) return { kind: 'identifier', at: token.from, name };
    const near = nearestName(name, [...this.#functions]);
    const place = { from: token.from, to: token.from + name.length };
    const fix = near === undefined ? `for a label write $labels.${name}, for a text "${name}"` : `write "${near}"`;
    const go = `function ${JSON.stringify(name)} not defined`;
    return this.#tokens.failWith({ ...place, go, message: `there is no function "${name}"`, fix });
  }

  #variable(token: Token): Operand {
    if (this.variables.includes(token.text)) return variableNode(token);
    const name = token.text;
    const near = nearestName(name, this.variables);
    const fix = near === undefined ? `declare it before: {{ ${name} := … }}` : `write ${near}`;
    const place = { from: token.from, to: token.from + name.length };
    const go = `undefined variable ${JSON.stringify(name)}`;
    return this.#tokens.failWith({ ...place, go, message: `the variable ${name} is not declared here`, fix });
  }

  #number(token: Token): Operand {
    const number = readNumber(token);
    if (number.ok) return number.literal;
    const place = { from: token.from, to: token.from + token.text.length };
    const [message, fix] =
      token.kind === 'character'
        ? [`${token.text} is not one character`, 'write texts between double quotes']
        : [`${token.text} is no number`, 'write it like 15, 0.5, 1e6 or 0x1F'];
    return this.#tokens.failWith({ ...place, go: number.go, message, fix });
  }

  #parenthesis({ from }: Token): Operand {
    if (this.#depth >= MAX_DEPTH) {
      const message = `more than ${MAX_DEPTH} parentheses are nested`;
      const go = 'max expression depth exceeded';
      return this.#tokens.failWith({ from, to: from + 1, go, message, fix: 'declare variables for the inner parts' });
    }
    this.#depth++;
    const pipe = this.pipeline('parenthesized pipeline', 'right parenthesis');
    this.#depth--;
    return pipe;
  }
}

const STARTS_OPERAND: ReadonlySet<TokenKind> = new Set([
  'bool',
  'character',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'raw string',
  'string',
  'variable',
  'left parenthesis',
]);

function variableNode({ from, text }: Token): Variable {
  return { kind: 'variable', at: from, path: [text] };
}

function isConstant({ kind }: Operand): boolean {
  return kind === 'bool' || kind === 'dot' || kind === 'nil' || kind === 'number' || kind === 'string';
}
