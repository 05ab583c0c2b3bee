/** RE2, the dialect of Prometheus matchers. */
import { RE2JS } from 're2js';
import { messageOf } from '../text/message-of.ts';

/** Why `pattern` is not a valid RE2 expression; undefined when it is valid. */
export function regexError(pattern: string): string | undefined {
  try {
    compile(pattern, 0);
    return undefined;
  } catch (error) {
    return messageOf(error).replace(/^error parsing regexp: /, '');
  }
}

/** Whether a label value matches, as a whole and over line ends; the pattern must be one that `regexError` accepts. */
export function fullMatcher(pattern: string): (value: string) => boolean {
  const compiled = compile(pattern, RE2JS.DOTALL);
  return (value) => compiled.matches(value);
}

function compile(pattern: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(pattern, flags);
  } catch (error) {
    // Go lets two groups share a name, re2js does not; a matcher never asks for a group by its name.
    if (!String(error).includes('duplicate capture group name')) throw error;
    return RE2JS.compile(pattern.replace(/\(\?P?<\w+>/g, '('), flags);
  }
}
