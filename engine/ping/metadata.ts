/** What an agent says of itself in names and values: few, short, and fit for labels and terminals. */
import type { Agent } from '../core/ping/agent.ts';

export type Metadata = Agent['metadata'];

export interface MetadataProblem {
  /** Undefined for all of it. */
  readonly key: string | undefined;
  readonly problem: string;
}

const MAX_KEYS = 32;
const MAX_BYTES = 4096;
const MAX_TEXT = 512;
const MAX_KEY_SHOWN = 40;

// Two underscores begin the names that Prometheus keeps for itself.
const KEY = /^(?!__)[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029]/u;
/** These say whom the agent speaks for. */
const NAMES = ['node', 'gpu_uuid'];

/** Empty when the value is metadata. */
export function metadataProblems(value: unknown): readonly MetadataProblem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [{ key: undefined, problem: 'write an object of names and values, as {"gpu_model": "RTX 4090"}' }];
  const entries = Object.entries(value);
  if (entries.length > MAX_KEYS) return [{ key: undefined, problem: `write at most ${MAX_KEYS} entries` }];
  const problems = entries.flatMap(([key, entry]) => entryProblem(key, entry));
  if (problems.length > 0 || Buffer.byteLength(JSON.stringify(value)) <= MAX_BYTES) return problems;
  return [{ key: undefined, problem: `write at most ${MAX_BYTES} bytes of JSON` }];
}

function entryProblem(key: string, value: unknown): readonly MetadataProblem[] {
  if (!KEY.test(key)) {
    const problem = 'a name is 1 to 64 of A-Z a-z 0-9 _ . - beginning with a letter, or with one _';
    return [{ key: shown(key), problem }];
  }
  const isName = NAMES.includes(key);
  if (isName ? isPrintable(value) && value !== '' : isPlain(value)) return [];
  const kind = isName ? 'a name' : 'a number, true, false or a text';
  return [{ key, problem: `write ${kind} of at most ${MAX_TEXT} characters, all printable` }];
}

function isPlain(value: unknown): boolean {
  return isPrintable(value) || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}

function isPrintable(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT && !UNPRINTABLE.test(value);
}

function shown(key: string): string {
  return JSON.stringify(key.slice(0, MAX_KEY_SHOWN)).slice(1, -1);
}
