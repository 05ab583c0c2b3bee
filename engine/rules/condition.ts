/** Whether an expression yields something only at times, as the expression of an alert should. */
import { tokenise } from '../promql/tokens.ts';

const COMPARISONS = ['==', '!=', '>', '<', '>=', '<=', '>/', '</'];
const SET_OPERATORS = ['and', 'unless'];
const PRESENCE = ['absent', 'absent_over_time', 'ALERTS'];

/** A comparison that filters (not `bool`), a set operation, `absent`, or a question about other alerts. */
export function isConditional(expr: string): boolean {
  const { list } = tokenise(expr);
  let braces = 0;
  return list.some(({ text }, index) => {
    if (text === '{') braces++;
    if (text === '}') braces--;
    if (braces > 0) return false;
    if (COMPARISONS.includes(text)) return list[index + 1]?.text.toLowerCase() !== 'bool';
    return SET_OPERATORS.includes(text.toLowerCase()) || PRESENCE.includes(text);
  });
}
