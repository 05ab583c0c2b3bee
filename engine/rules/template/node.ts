/** The parts of a parsed template. `at` is the offset that Go's errors point to. */

export type Statement = Text | Action | Jump | Branch | TemplateCall;

export interface List {
  readonly kind: 'list';
  readonly at: number;
  readonly statements: Statement[];
}

interface Text {
  readonly kind: 'text';
  readonly at: number;
  readonly text: string;
}

/** A pipeline whose value is printed, unless it declares or assigns a variable. */
interface Action {
  readonly kind: 'action';
  readonly at: number;
  readonly pipe: Pipe;
}

interface Jump {
  readonly kind: 'break' | 'continue';
  readonly at: number;
}

export interface Branch {
  readonly kind: 'if' | 'range' | 'with';
  readonly at: number;
  readonly pipe: Pipe;
  readonly list: List;
  readonly elseList: List | undefined;
}

/** `{{template "name" pipeline}}`. */
export interface TemplateCall {
  readonly kind: 'template';
  readonly at: number;
  readonly name: string;
  readonly pipe: Pipe | undefined;
}

export interface Pipe {
  readonly kind: 'pipe';
  readonly at: number;
  readonly variables: Variable[];
  /** `=` rather than `:=`. */
  isAssignment: boolean;
  readonly commands: Command[];
}

export interface Command {
  readonly kind: 'command';
  readonly at: number;
  readonly operands: Operand[];
}

export type Operand = Identifier | Variable | Dot | Nil | Field | Chain | Bool | NumberLiteral | StringLiteral | Pipe;

export interface Identifier {
  readonly kind: 'identifier';
  readonly at: number;
  readonly name: string;
}

/** `$x.A.B`: the variable's name with its dollar, then the fields. */
export interface Variable {
  readonly kind: 'variable';
  readonly at: number;
  readonly path: readonly string[];
}

interface Dot {
  readonly kind: 'dot';
  readonly at: number;
}

interface Nil {
  readonly kind: 'nil';
  readonly at: number;
}

interface Field {
  readonly kind: 'field';
  readonly at: number;
  readonly path: readonly string[];
}

/** Fields of something that is neither a field nor a variable: `(index .X 0).Value`. */
export interface Chain {
  readonly kind: 'chain';
  readonly at: number;
  readonly operand: Operand;
  readonly path: readonly string[];
}

interface Bool {
  readonly kind: 'bool';
  readonly at: number;
  readonly isTrue: boolean;
}

/** A literal can be several kinds of number at once; what it is depends on where it stands. */
export interface NumberLiteral {
  readonly kind: 'number';
  readonly at: number;
  readonly text: string;
  readonly int64?: bigint;
  readonly uint64?: bigint;
  readonly float64?: number;
  readonly complex?: { readonly real: number; readonly imaginary: number };
}

interface StringLiteral {
  readonly kind: 'string';
  readonly at: number;
  /** As written, with its quotes. */
  readonly quoted: string;
  readonly text: string;
}

export type Node = Statement | List | Pipe | Command | Operand;

/** A template under a name, as `define` makes it. */
export interface Tree {
  readonly name: string;
  readonly root: List;
}
