/** The labels and annotations of a rule file: as written, and as templates. */
import type { LabelSet } from '../core/alert.ts';
import { type Field, placeInText, readNamed, readText, report } from './rule-fields.ts';
import { checkName, type NamedKind } from './rule-names.ts';
import { brokenTemplate, compileTemplate, type Template } from './template/template.ts';

export interface NamedText {
  readonly name: string;
  readonly text: string;
  readonly field: Field;
}

/** Reads the names and texts under `labels` or `annotations`. */
export function readTexts(field: Field, kind: NamedKind): readonly NamedText[] {
  return readNamed(field).map(({ name, key, value }) => {
    checkName(field, kind, { name, key });
    return { name, text: readText(value) ?? '', field: value };
  });
}

export function asWritten(texts: readonly NamedText[]): LabelSet {
  return Object.fromEntries(texts.map(({ name, text }) => [name, text]));
}

/** Compiles the texts of an alert's rule; what is no template is reported. */
export function compileAll(texts: readonly NamedText[], alert: string): Readonly<Record<string, Template>> {
  return Object.fromEntries(texts.map((one) => [one.name, compileOne(one, alert)]));
}

function compileOne({ text, field }: NamedText, alert: string): Template {
  const compiled = compileTemplate(text, { name: alert });
  if (compiled.ok) return compiled.template;
  for (const { from, to, message, fix } of compiled.problems) {
    report(field, { message, fix }, placeInText(field, from, to));
  }
  return brokenTemplate(compiled.prometheus);
}

/** Prometheus does not look at the templates of a group's labels before the alerts fire, so a bad one only warns. */
export function warnOfBroken({ text, field }: NamedText): void {
  const compiled = compileTemplate(text);
  for (const { from, to, message, fix } of compiled.ok ? [] : compiled.problems) {
    const warning = `${message}; the alerts of the group will carry an error text as this label`;
    report(field, { severity: 'warning', message: warning, fix }, placeInText(field, from, to));
  }
}

/** The templates of a group's labels for the alerts of one rule. */
export function inheritTemplates(labels: readonly NamedText[], alert: string): Readonly<Record<string, Template>> {
  return Object.fromEntries(
    labels.map(({ name, text }) => {
      const compiled = compileTemplate(text, { name: alert });
      return [name, compiled.ok ? compiled.template : brokenTemplate(compiled.prometheus)];
    }),
  );
}
