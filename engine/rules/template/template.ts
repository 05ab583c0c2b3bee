/** The part of Go's text/template that alert texts need. What it does not know is refused when the file is loaded. */
import type { LabelSet } from '../../core/alert.ts';
import type { Sample } from '../../prometheus/query.ts';
import { formatFixed, formatShortest } from './go-number.ts';
import { humanize, humanizeDuration, humanizePercentage } from './humanize.ts';

/** What is wrong with characters [from, to) of a template, and what to do. */
export interface TemplateProblem {
  readonly from: number;
  readonly to: number;
  readonly message: string;
  readonly fix: string;
}

/** What a template is expanded for: one element of the rule's result. */
export interface TemplateData {
  readonly labels: LabelSet;
  readonly value: number;
  readonly externalLabels: LabelSet;
  readonly externalUrl: string;
}

/** What the functions of a template may reach. */
export interface TemplateWorld {
  /** Instant of the evaluation, milliseconds since the epoch. */
  readonly atMs: number;
  /** Answers `query`. Rejects when Prometheus does not answer. */
  query(expr: string): Promise<readonly Sample[]>;
}

/** Never throws nor rejects: what fails becomes text. A promise only when the template calls `query`. */
export interface Template {
  expand(data: TemplateData, world: TemplateWorld): string | Promise<string>;
}

export type CompiledTemplate =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly problems: readonly TemplateProblem[] };

type AlertSample = TemplateData;
type Expand = (sample: AlertSample) => string;

/** The sentence that goes with every problem. */
const SUPPORTED_TEMPLATES =
  'use {{ $labels.name }} or {{ $value }}, alone or with one or more of | printf "%.1f" (any digit), | printf "%g", ' +
  '| printf "%s", | humanize, | humanizePercentage, | humanizeDuration';

/** Compiles a template; `expand` never throws. Every problem of the text is reported, not just the first. */
export function compileTemplate(text: string): CompiledTemplate {
  const problems: TemplateProblem[] = [];
  const parts = splitParts(text).map((part) => (part.isAction ? compileAction(part, problems) : () => part.text));
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, template: { expand: (sample) => expandAll(parts, sample) } };
}

function expandAll(parts: readonly Expand[], sample: AlertSample): string {
  try {
    return parts.map((part) => part(sample)).join('');
  } catch (error) {
    // As in Prometheus: a text that cannot be written must not cost the alert.
    return `<error expanding template: ${error instanceof Error ? error.message : String(error)}>`;
  }
}

interface Part {
  readonly text: string;
  /** Offset of `text` in the template. */
  readonly from: number;
  readonly isAction: boolean;
}

function splitParts(text: string): Part[] {
  const parts: Part[] = [];
  for (const match of text.matchAll(/\{\{(.*?)(?:\}\}|$)|(?:(?!\{\{).)+/gs)) {
    const isAction = match[1] !== undefined;
    parts.push({ text: match[0], from: match.index, isAction });
  }
  return parts;
}

type Value = number | string;
type Kind = 'number' | 'text';

interface Operand {
  readonly kind: Kind;
  read(sample: AlertSample): Value;
}

interface Call {
  readonly name: string;
  readonly accepts: readonly Kind[];
  apply(value: Value): string;
}

function compileAction({ text, from }: Part, problems: TemplateProblem[]): Expand {
  try {
    if (!text.endsWith('}}')) throw new Error(`"{{" without "}}"`);
    return compilePipeline(text.slice(2, -2));
  } catch (error) {
    problems.push({ from, to: from + text.length, message: error instanceof Error ? error.message : String(error), fix: SUPPORTED_TEMPLATES });
    return () => '';
  }
}

function compilePipeline(action: string): Expand {
  const [first = '', ...rest] = action.split('|').map((stage) => stage.trim());
  const words = first.split(/\s+/);
  const operand = readOperand(words.at(-1) ?? '');
  const calls = [
    ...(words.length > 1 ? [readCall(words.slice(0, -1))] : []),
    ...rest.map((s) => readCall(s.split(/\s+/))),
  ];
  checkKinds(operand, calls);
  if (calls.length === 0) return (sample) => show(operand.read(sample));
  return (sample) => String(calls.reduce<Value>((value, call) => call.apply(value), operand.read(sample)));
}

function readOperand(word: string): Operand {
  if (word === '$value') return { kind: 'number', read: ({ value }) => value };
  const name = /^\$labels\.([A-Za-z_][A-Za-z0-9_]*)$/.exec(word)?.[1];
  if (name === undefined) throw new Error(`the template has ${JSON.stringify(word)} where a value belongs`);
  return { kind: 'text', read: ({ labels }) => (Object.hasOwn(labels, name) ? (labels[name] ?? '') : '') };
}

const HUMANIZERS: Readonly<Record<string, (value: number) => string>> = {
  humanize,
  humanizePercentage,
  humanizeDuration,
};

function readCall([name = '', ...args]: readonly string[]): Call {
  if (name === 'printf' && args.length === 1) return readPrintf(args[0] ?? '');
  const convert = Object.hasOwn(HUMANIZERS, name) && args.length === 0 ? HUMANIZERS[name] : undefined;
  if (convert === undefined) throw new Error(`the template calls ${JSON.stringify([name, ...args].join(' '))}`);
  return { name, accepts: ['number', 'text'], apply: (value) => convert(toNumber(name, value)) };
}

function readPrintf(format: string): Call {
  const name = `printf ${format}`;
  const decimals = /^"%\.(\d)f"$/.exec(format)?.[1];
  if (decimals !== undefined) {
    return { name, accepts: ['number'], apply: (value) => formatFixed(Number(value), Number(decimals)) };
  }
  if (format === '"%g"') return { name, accepts: ['number'], apply: show };
  if (format === '"%s"') return { name, accepts: ['text'], apply: String };
  throw new Error(`the template calls ${JSON.stringify(name)}`);
}

/** Go prints `%!f(string=…)` into the alert when the kinds do not fit; we say so when the file is loaded. */
function checkKinds(operand: Operand, calls: readonly Call[]): void {
  let kind: Kind = operand.kind;
  for (const { name, accepts } of calls) {
    if (!accepts.includes(kind)) throw new Error(`${name} is given ${kind === 'text' ? 'text' : 'a number'}`);
    kind = 'text';
  }
}

function show(value: Value): string {
  return typeof value === 'number' ? formatShortest(value) : value;
}

function toNumber(name: string, value: Value): number {
  if (typeof value === 'number') return value;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value))
    throw new Error(`${name} of ${JSON.stringify(value)}, not a number`);
  return Number(value);
}
