/** What is wrong with a field that somebody else wrote: what came, and what is expected. */
import { z } from 'zod';

/**
 * For zod, as the error map of a whole parse: `it is 250, and must be at most 100`. A field with a message of its own keeps it.
 */
export function fieldWords(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'unrecognized_keys') return strangerText(issue.keys, issue.inst);
  const came = cameText(issue.input);
  const wanted = wantedText(issue);
  return wanted === undefined ? `${came}, which is not expected here` : `${came}, and must ${wanted}`;
}

function strangerText(keys: readonly string[], asked: unknown): string {
  const names = keys.map(quoted).join(' and ');
  const known = asked instanceof z.ZodObject ? Object.keys(asked.shape) : [];
  return `${names} ${keys.length === 1 ? 'is' : 'are'} not known here; ${known.length === 0 ? 'leave it out' : `known: ${known.join(', ')}`}`;
}

function cameText(input: unknown): string {
  if (input === undefined) return 'it is missing';
  if (Array.isArray(input)) return 'it is a list';
  if (typeof input === 'object' && input !== null) return 'it is an object';
  return `it is ${typeof input === 'string' ? quoted(input) : String(input)}`;
}

const LONGEST = 60;

function quoted(text: string): string {
  const start = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return JSON.stringify(start.toWellFormed().replace(/\p{C}/gu, ' '));
}

/** Continues `must`; undefined for what none of our schemas asks. */
function wantedText(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `be ${TYPES[String(issue.expected)] ?? `a ${issue.expected}`}`;
    case 'too_big':
      return sizeText(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'too_small':
      return sizeText(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'invalid_value':
      return `be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return issue.format === 'datetime' ? 'be an instant such as 2026-01-02T03:04:05Z' : undefined;
    default:
      return undefined;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function sizeText(origin: string, relation: string, limit: number | bigint): string {
  if (origin === 'string') return `have ${relation} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  return origin === 'array' ? `have ${relation} ${limit} entries` : `be ${relation} ${limit}`;
}
