/** One expansion of a template at work: what it has written, its variables, and the node that an error would name. */

import type { Scope } from './function.ts';
import { utf8Length } from './go-bytes.ts';
import type { Node, Tree } from './node.ts';
import { nodeText } from './node-text.ts';
import { printf } from './printf.ts';
import type { Value } from './value.ts';

/** No text for people is longer; a template that writes more is a mistake, and must not take the engine's memory. */
const MAX_TEXT = 1 << 20;
/** Ends what would run for ever. */
const MAX_STEPS = 1_000_000;

/** The template failed; the message is what Go's Execute returns. */
class ExecutionError extends Error {
  override readonly name = 'ExecutionError';
}

interface Binding {
  readonly name: string;
  value: Value;
}

export class Expansion {
  readonly scope: Scope;
  readonly trees: ReadonlyMap<string, Tree>;
  readonly #text: string;
  /** The name of the whole text. */
  readonly #parseName: string;
  /** The template that is being executed. */
  name: string;
  depth = 0;
  output = '';
  variables: Binding[];
  #node: Node | undefined;
  #steps = 0;

  constructor(source: { scope: Scope; trees: ReadonlyMap<string, Tree>; text: string; name: string }, data: Value) {
    this.scope = source.scope;
    this.trees = source.trees;
    this.#text = source.text;
    this.#parseName = source.name;
    this.name = source.name;
    this.variables = [{ name: '$', value: data }];
  }

  /** Remembers where the execution is, for the errors. */
  at(node: Node): void {
    this.#node = node;
    if (++this.#steps > MAX_STEPS) this.fail(`stopped after ${MAX_STEPS} steps`);
  }

  write(text: string): void {
    this.output += text;
    this.checkLength(this.output);
  }

  /** Fails when a text has grown beyond what a person would read. */
  checkLength(text: string): void {
    if (text.length > MAX_TEXT) this.fail(`the text is longer than ${MAX_TEXT} letters`);
  }

  variable(name: string): Value {
    return this.#find(name).value;
  }

  assign(name: string, value: Value): void {
    this.#find(name).value = value;
  }

  declare(name: string, value: Value): void {
    this.variables.push({ name, value });
  }

  /** Fails at the current node. The names and the message form one format in Go, so a `%` in the alert's name is a verb there too. */
  fail(format: string, ...values: readonly Value[]): never {
    const node = this.#node;
    const name = this.name.replaceAll('%', '%%');
    const place = node === undefined ? name : `${this.#location(node)}: executing "${name}" at <${context(node)}>`;
    throw new ExecutionError(printf(`template: ${place}: ${format}`, values));
  }

  #location({ at }: Node): string {
    const before = this.#text.slice(0, at);
    const lineStart = before.lastIndexOf('\n') + 1;
    return `${this.#parseName}:${before.split('\n').length}:${utf8Length(before.slice(lineStart))}`;
  }

  #find(name: string): Binding {
    const found = this.variables.findLast((variable) => variable.name === name);
    return found ?? this.fail('undefined variable: %s', name);
  }
}

function context(node: Node): string {
  return nodeText(node).replaceAll('%', '%%');
}
