/** Walks a parsed template: writes texts and values, decides branches, runs loops, calls other templates. */
import { printable } from './escape-function.ts';
import type { Expansion } from './expansion.ts';
import type { Branch, List, Statement, TemplateCall, Tree } from './node.ts';
import { evaluatePipe } from './pipeline.ts';
import { indirect, isObject, isTruthy, sortedKeys, type Value, wholeOf } from './value.ts';
import { formatPlain } from './verb.ts';

// Go counts to 100,000 and its error says so. Only a template that calls itself without end gets anywhere near, so ours fails
// in fewer steps with the same text.
const MAX_DEPTH = 500;
const GO_MAX_DEPTH = 100_000n;

/** Whether a loop goes on after the statements. */
type Flow = 'next' | 'break' | 'continue';

/** Executes statements with `dot` as the current value. */
export function walkList(run: Expansion, dot: Value, list: List): Flow {
  run.at(list);
  for (const statement of list.statements) {
    const flow = walk(run, dot, statement);
    if (flow !== 'next') return flow;
  }
  return 'next';
}

function walk(run: Expansion, dot: Value, statement: Statement): Flow {
  run.at(statement);
  switch (statement.kind) {
    case 'text':
      run.write(statement.text);
      return 'next';
    case 'action': {
      const value = evaluatePipe(run, dot, statement.pipe);
      if (statement.pipe.variables.length > 0) return 'next';
      run.at(statement);
      run.write(formatPlain(printable(value)));
      return 'next';
    }
    case 'break':
    case 'continue':
      return statement.kind;
    case 'template':
      return walkTemplate(run, dot, statement);
    case 'range':
      return withOwnVariables(run, () => walkRange(run, dot, statement));
    default:
      return withOwnVariables(run, () => walkBranch(run, dot, statement));
  }
}

function withOwnVariables(run: Expansion, work: () => Flow): Flow {
  const mark = run.variables.length;
  const flow = work();
  run.variables.length = mark;
  return flow;
}

function walkBranch(run: Expansion, dot: Value, { kind, pipe, list, elseList }: Branch): Flow {
  const value = evaluatePipe(run, dot, pipe);
  if (isTruthy(value)) return walkList(run, kind === 'with' ? value : dot, list);
  return elseList === undefined ? 'next' : walkList(run, dot, elseList);
}

function walkRange(run: Expansion, dot: Value, branch: Branch): Flow {
  const { value } = indirect(evaluatePipe(run, dot, branch.pipe));
  const mark = run.variables.length;
  let hasRun = false;
  for (const { index, element } of elementsOf(run, value, branch)) {
    hasRun = true;
    setVariables(run, branch, index, element);
    const flow = walkList(run, element, branch.list);
    run.variables.length = mark;
    if (flow === 'break') break;
  }
  if (hasRun || branch.elseList === undefined) return 'next';
  return walkList(run, dot, branch.elseList);
}

interface Iteration {
  readonly index: Value;
  readonly element: Value;
}

function* elementsOf(run: Expansion, value: Value, branch: Branch): Generator<Iteration> {
  const count = wholeOf(value);
  if (count !== undefined) yield* countUp(run, value, count, branch);
  else if (isObject(value) && value.kind === 'map') {
    for (const key of sortedKeys(value)) yield { index: key, element: value.entries[key] };
  } else if (isObject(value) && value.kind === 'samples') {
    for (const [at, element] of value.items.entries()) yield { index: BigInt(at), element };
  } else if (isObject(value) && value.kind === 'bytes') {
    for (const [at, byte] of value.bytes.entries()) {
      yield { index: BigInt(at), element: { kind: 'whole', type: 'uint8', value: BigInt(byte) } };
    }
  } else if (value !== undefined) run.fail("range can't iterate over %v", value);
}

/** The numbers below `count`, each of the type that `value` has. */
function* countUp(run: Expansion, value: Value, count: bigint, { pipe }: Branch): Generator<Iteration> {
  if (pipe.variables.length > 1) run.fail("can't use %v to iterate over more than one variable", value);
  for (let at = 0n; at < count; at++) {
    const element: Value = isObject(value) && value.kind === 'whole' ? { ...value, value: at } : at;
    yield { index: undefined, element };
  }
}

/** Variables that `range` declared lie on top of the stack; those it assigns lie anywhere. */
function setVariables(
  run: Expansion,
  { pipe: { variables, isAssignment } }: Branch,
  index: Value,
  element: Value,
): void {
  const values = variables.length > 1 ? [index, element] : [element];
  variables.forEach(({ path: [name = ''] }, at) => {
    const declared = run.variables[run.variables.length - variables.length + at];
    if (isAssignment) run.assign(name, values[at]);
    else if (declared !== undefined) declared.value = values[at];
  });
}

function walkTemplate(run: Expansion, dot: Value, call: TemplateCall): Flow {
  const tree = run.trees.get(call.name) ?? run.fail('template %q not defined', call.name);
  if (run.depth === MAX_DEPTH) run.fail('exceeded maximum template depth (%v)', GO_MAX_DEPTH);
  walkTree(run, evaluatePipe(run, dot, call.pipe), tree);
  return 'next';
}

/** Executes a template of its own: it sees its data as `.` and `$`, and none of the caller's variables. */
export function walkTree(run: Expansion, data: Value, tree: Tree): void {
  const { name, variables } = run;
  run.name = tree.name;
  run.variables = [{ name: '$', value: data }];
  run.depth++;
  walkList(run, data, tree.root);
  run.depth--;
  run.variables = variables;
  run.name = name;
}
