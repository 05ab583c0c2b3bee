/** Templates in the labels and annotations of alerts: Go's text/template with Prometheus' functions and variables. */
import type { LabelSet } from '../../core/alert.ts';
import type { Sample } from '../../prometheus/query.ts';
import { isConstantText } from './constant-text.ts';
import { type ExpansionSource, expandTrees } from './expand.ts';
import { FUNCTION_NAMES } from './function-table.ts';
import { Lexer } from './lexer.ts';
import type { Tree } from './node.ts';
import { parseText } from './parser.ts';
import { SyntaxMistake } from './token-buffer.ts';

/** What is wrong with characters [from, to) of a template, and what to do. */
interface TemplateProblem {
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
  /** `prometheus` is what Prometheus says about the text, for `brokenTemplate`. */
  | { readonly ok: false; readonly problems: readonly TemplateProblem[]; readonly prometheus: string };

export interface CompileOptions {
  /** The alert's name, which the errors of an expansion mention. */
  readonly name?: string;
}

// The variables that every template of a rule may use, in the words that Prometheus puts before it: errors count columns from there.
const PREFIX =
  '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}';

/** Compiles a template once, for any number of expansions. As in Prometheus, the first mistake ends it. */
export function compileTemplate(text: string, { name = '' }: CompileOptions = {}): CompiledTemplate {
  if (isConstantText(text)) return { ok: true, template: { expand: () => text } };
  const source = sourceOf(text, name);
  try {
    parse(source);
    return { ok: true, template: templateOf(text, name) };
  } catch (error) {
    if (!(error instanceof SyntaxMistake)) throw error;
    return { ok: false, problems: [problemOf(error, text.length)], prometheus: parseError(error, source) };
  }
}

/** A template that always renders Prometheus' text for one it could not expand; `message` says why. */
export function brokenTemplate(message: string): Template {
  const text = `<error expanding template: ${message}>`;
  return { expand: () => text };
}

type TemplateSource = Omit<ExpansionSource, 'trees'>;

function sourceOf(text: string, name: string): TemplateSource {
  return { text: PREFIX + text.toWellFormed(), name: `__alert_${name}` };
}

function parse({ text, name }: TemplateSource): ReadonlyMap<string, Tree> {
  const trees = new Map<string, Tree>();
  parseText(name, { lexer: new Lexer(text), functions: FUNCTION_NAMES, trees });
  return trees;
}

/** Parsed again when it is first expanded: most rules never fire, and trees are many times as large as their text. */
function templateOf(text: string, name: string): Template {
  let parsed: ExpansionSource | undefined;
  return {
    expand: (data, world) => {
      if (parsed === undefined) {
        const source = sourceOf(text, name);
        parsed = { ...source, trees: parse(source) };
      }
      return expandTrees(parsed, data, world);
    },
  };
}

function problemOf({ mistake: { from, to, message, fix } }: SyntaxMistake, length: number): TemplateProblem {
  const place = (offset: number) => Math.min(Math.max(0, offset - PREFIX.length), length);
  return { from: place(from), to: Math.max(place(to), place(from)), message, fix };
}

/** `error parsing template …`, in the words of Prometheus. */
function parseError({ mistake, place }: SyntaxMistake, { text, name }: { text: string; name: string }): string {
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length;
  const line = lineOf(place.lineAt);
  const actionLine = place.actionAt === undefined ? line : lineOf(place.actionAt);
  const start = actionLine === line ? '' : ` in action started at ${name}:${actionLine}`;
  const extra = mistake.go.endsWith(' action') ? start.replace(' in action', '') : start;
  return `error parsing template ${name}: template: ${name}:${line}: ${mistake.go}${extra}`;
}
