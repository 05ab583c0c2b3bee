/** Which GPUs a silence is about. Only one that names nodes or GPUs, and nothing else, can be their maintenance. */
import { RE2JS } from 're2js';
import type { Policy, SilenceMatcher } from './policy.ts';

/** What a silence may name a GPU by. */
export interface Placed {
  readonly gpu: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type Scope =
  | { readonly ok: true; readonly covers: (gpu: Placed) => boolean }
  | { readonly ok: false; readonly reason: string };

interface Condition {
  readonly matcher: SilenceMatcher;
  readonly partOf: (gpu: Placed) => string;
  /** Nodes and GPUs; a model or an index alone would be a whole fleet. */
  readonly isPlace: boolean;
  readonly matches: (value: string) => boolean;
}

/** The GPUs that every matcher of a silence holds for, or why the silence is no maintenance. */
export function scopeOf(policy: Policy, matchers: readonly SilenceMatcher[]): Scope {
  const conditions: Condition[] = [];
  for (const matcher of matchers) {
    if (isSameMatcher(matcher, policy.maintenance?.matcher)) continue;
    const condition = conditionOf(policy, matcher);
    if (typeof condition === 'string') return { ok: false, reason: condition };
    conditions.push(condition);
  }
  if (!conditions.some(({ isPlace, matches }) => isPlace && isLimited(matches))) {
    const reason = `it names no node and no GPU; add a matcher on ${policy.identity.node} or ${policy.identity.gpu}`;
    return { ok: false, reason };
  }
  return { ok: true, covers: (gpu) => conditions.every(({ partOf, matches }) => matches(partOf(gpu))) };
}

export function isSameMatcher(a: SilenceMatcher, b: SilenceMatcher | undefined): boolean {
  return a.name === b?.name && a.value === b.value && a.isRegex === b.isRegex && a.isEqual === b.isEqual;
}

/** The condition a matcher puts on a GPU, or why it cannot be one. */
function conditionOf(policy: Policy, matcher: SilenceMatcher): Condition | string {
  const { name, value, isRegex, isEqual } = matcher;
  const attribute = attributeOf(policy, name);
  if (attribute === undefined) return `its matcher on ${name} mutes some alerts of a node, not the node`;
  if (!isEqual) return `its matcher on ${name} says what it leaves out, not what it is about`;
  if (value.length > MAX_PATTERN) return `its matcher on ${name} is longer than ${MAX_PATTERN} characters`;
  const matches = isRegex ? patternOf(value) : (other: string) => other === value;
  return matches === undefined
    ? `its pattern for ${name} is not a regular expression`
    : { matcher, ...attribute, matches };
}

const MAX_PATTERN = 2000;

/** The engine's own series call the node `node` and the GPU `uuid`, whatever they are called where they come from. */
function attributeOf({ identity }: Policy, name: string): Pick<Condition, 'partOf' | 'isPlace'> | undefined {
  if (name === identity.gpu || name === 'uuid') return { partOf: ({ gpu }) => gpu, isPlace: true };
  if (name === identity.node || name === 'node') return { partOf: ({ node }) => node, isPlace: true };
  if (!identity.labels.includes(name)) return undefined;
  return { partOf: ({ labels }) => labels[name] ?? '', isPlace: false };
}

/** Values repeat at every tick, and matching costs more than looking up. */
function patternOf(pattern: string): ((value: string) => boolean) | undefined {
  const regex = compiled(pattern);
  if (regex === undefined) return undefined;
  const known = new Map<string, boolean>();
  return (value) => {
    const answer = known.get(value) ?? regex.matcher(value).matches();
    if (known.size < MAX_REMEMBERED) known.set(value, answer);
    return answer;
  };
}

const MAX_REMEMBERED = 100_000;

function compiled(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}

/** Names that nobody gives to a node: what matches one of them matches everything. */
const NOBODY = ['', '0', 'x', '-', 'no node has this name'];

function isLimited(matches: (value: string) => boolean): boolean {
  return !NOBODY.some(matches);
}
