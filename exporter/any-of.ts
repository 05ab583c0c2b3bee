/** Names in a sentence: `a`, `a or b`, `a, b, or c`. */
export function anyOf(names: readonly string[]): string {
  return format.format(names);
}

const format = new Intl.ListFormat('en', { type: 'disjunction' });
