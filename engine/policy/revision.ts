import { createHash } from 'node:crypto';

const REVISION_LENGTH = 12;

/** First 12 hex digits of the SHA-256 of `judged` as JSON with sorted keys: equal content, equal revision. */
export function policyRevision(judged: unknown): string {
  return createHash('sha256').update(canonicalJson(judged)).digest('hex').slice(0, REVISION_LENGTH);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part) ? sortKeys(part) : part,
  );
}

function sortKeys(mapping: object): object {
  return Object.fromEntries(Object.entries(mapping).sort(([a], [b]) => (a < b ? -1 : 1)));
}
