/** Regular expressions of the templates: RE2, as in Prometheus. */
import { RE2JS } from 're2js';

/** Patterns may be built from labels, so only the latest are kept. */
const MAX_COMPILED = 256;
const compiled = new Map<string, RE2JS>();

/** Whether `pattern` matches anywhere in `text`. Throws an Error with RE2's reason when the pattern is wrong. */
export function matches(pattern: string, text: string): boolean {
  return compile(pattern).matcher(text).find();
}

/** `text` with every match replaced; `$1` and `${name}` in the replacement stand for groups, `$$` for a dollar. */
export function replaceAll(pattern: string, replacement: string, text: string): string {
  const expression = compile(pattern);
  const parts = replacementParts(replacement, expression.namedGroups());
  const matcher = expression.matcher(text);
  let replaced = '';
  let end = 0;
  for (let isFirst = true; matcher.find(); isFirst = false) {
    const [from, to] = [matcher.start(), matcher.end()];
    replaced += text.slice(end, from);
    // An empty match right behind another match is none.
    if (isFirst || to > from || from > end) {
      const count = matcher.groupCount();
      for (const part of parts)
        replaced += typeof part === 'string' ? part : part <= count ? (matcher.group(part) ?? '') : '';
    }
    end = to;
  }
  return replaced + text.slice(end);
}

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (!pattern.isWellFormed()) throw new Error(`error parsing regexp: invalid UTF-8: \`${pattern}\``);
  const expression = RE2JS.compile(pattern);
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  compiled.set(pattern, expression);
  return expression;
}

/** Literal texts and numbers of groups. A reference goes on as long as it can: `$1x` is the group named `1x`. */
function replacementParts(replacement: string, names: Readonly<Record<string, number>>): (string | number)[] {
  const parts: (string | number)[] = [];
  for (const match of replacement.matchAll(/\$\$|\$(?:\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))|[^$]+|\$/gu)) {
    const name = match[1] ?? match[2];
    if (name === undefined) parts.push(match[0] === '$$' ? '$' : match[0]);
    else parts.push(groupNumber(name, names) ?? '');
  }
  return parts;
}

function groupNumber(name: string, names: Readonly<Record<string, number>>): number | undefined {
  if (/^(?:0|[1-9]\d{0,8})$/.test(name)) return Number(name);
  return Object.hasOwn(names, name) ? names[name] : undefined;
}
