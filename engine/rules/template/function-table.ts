/** Every function that templates of alert rules know, by its name. */
import { BUILTIN_FUNCTIONS } from './builtin-function.ts';
import { COMPARISON_FUNCTIONS } from './comparison-function.ts';
import { ESCAPE_FUNCTIONS } from './escape-function.ts';
import type { FunctionTable } from './function.ts';
import { NUMBER_FUNCTIONS } from './number-function.ts';
import { QUERY_FUNCTIONS } from './query-function.ts';
import { TEXT_FUNCTIONS } from './text-function.ts';

export const FUNCTIONS: FunctionTable = {
  ...BUILTIN_FUNCTIONS,
  ...COMPARISON_FUNCTIONS,
  ...ESCAPE_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...QUERY_FUNCTIONS,
  ...TEXT_FUNCTIONS,
};

/** What the parser takes for a function; `call` is part of the language. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set([...Object.keys(FUNCTIONS), 'call']);
