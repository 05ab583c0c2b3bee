import { RE2JS } from 're2js';

/** Why `pattern` is not a valid RE2 expression, the dialect of Prometheus matchers; undefined when it is valid. */
export function regexError(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
  }
}
