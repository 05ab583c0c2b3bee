/** A part of a template written again, as Go's errors quote it. */
import { quote } from './go-quote.ts';
import type { Branch, Node, Operand, Pipe, TemplateCall } from './node.ts';

export function nodeText(node: Node): string {
  switch (node.kind) {
    case 'list':
      return node.statements.map(nodeText).join('');
    case 'text':
      return node.text;
    case 'action':
      return `{{${pipeText(node.pipe)}}}`;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'if':
    case 'range':
    case 'with':
      return branchText(node);
    case 'template':
      return callText(node);
    case 'pipe':
      return pipeText(node);
    case 'command':
      return node.operands.map(argumentText).join(' ');
    default:
      return operandText(node);
  }
}

function pipeText({ variables, isAssignment, commands }: Pipe): string {
  const names = variables.map(nodeText).join(', ');
  const prefix = names === '' ? '' : `${names} ${isAssignment ? '=' : ':='} `;
  return prefix + commands.map(nodeText).join(' | ');
}

function branchText({ kind, pipe, list, elseList }: Branch): string {
  const otherwise = elseList === undefined ? '' : `{{else}}${nodeText(elseList)}`;
  return `{{${kind} ${pipeText(pipe)}}}${nodeText(list)}${otherwise}{{end}}`;
}

function callText({ name, pipe }: TemplateCall): string {
  return `{{template ${quote(name)}${pipe === undefined ? '' : ` ${pipeText(pipe)}`}}}`;
}

function argumentText(operand: Operand): string {
  return operand.kind === 'pipe' ? `(${pipeText(operand)})` : nodeText(operand);
}

function operandText(node: Exclude<Operand, Pipe>): string {
  switch (node.kind) {
    case 'identifier':
      return node.name;
    case 'variable':
      return node.path.join('.');
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'field':
      return node.path.map((name) => `.${name}`).join('');
    case 'chain':
      return `${argumentText(node.operand)}${node.path.map((name) => `.${name}`).join('')}`;
    case 'bool':
      return String(node.isTrue);
    case 'number':
      return node.text;
    case 'string':
      return node.quoted;
  }
}
