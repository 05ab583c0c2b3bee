/** Go's templates for what a regular expression found: `$1`, `${name}`, `$$`. */
import type { RE2JS } from 're2js';

/** `template` filled with the groups of the first match of `regex` in `text`; undefined when there is no match. */
export function expandTemplate(regex: RE2JS, text: string, template: string): string | undefined {
  const matcher = regex.matcher(text);
  if (!matcher.find()) return undefined;
  const groupNames = regex.namedGroups();
  return template.replace(REFERENCE, (_, ...[escaped, braced, bare]: (string | undefined)[]) => {
    if (escaped !== undefined) return '$';
    const name = braced ?? bare ?? '';
    const index = INDEX.test(name) ? Number(name) : groupNames[name];
    return index === undefined || index > matcher.groupCount() ? '' : (matcher.group(index) ?? '');
  });
}

/** A `$` that begins none of these stands for itself. A bare name is as long as it can be: `$1x` is the group `1x`. */
const REFERENCE = /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

/** A group's number has no leading zeros, or it is a name. */
const INDEX = /^(?:0|[1-9]\d{0,8})$/;
