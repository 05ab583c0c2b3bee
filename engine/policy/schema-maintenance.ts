/** Policy-file section `maintenance`: which Alertmanager silences are planned maintenance, and how much of it there may be. */
import { z } from 'zod';
import type { SilenceMatcher } from '../core/policy.ts';
import { regexError } from '../promql/regex.ts';
import { duration, oneOf, text } from './fields.ts';

/** Shorter than two polls of the Alertmanagers, engines would disagree about when a change took effect. */
const SHORTEST_NOTICE_MS = 30_000;

const MATCHER = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\["\\])*)"|([^\s"]+))\s*$/;

/** `planned="true"` or `planned=~"true|"`, as amtool takes it; undefined when the text is not a matcher. */
export function parseMatcher(source: string): SilenceMatcher | undefined {
  const [, name, operator, quoted, bare] = MATCHER.exec(source) ?? [];
  if (name === undefined || operator === undefined) return undefined;
  const value = quoted?.replace(/\\(["\\])/g, '$1') ?? bare ?? '';
  return { name, value, isRegex: operator.endsWith('~'), isEqual: !operator.startsWith('!') };
}

function matcherProblem(source: string): { readonly message: string; readonly fix: string } | undefined {
  const matcher = parseMatcher(source);
  if (matcher === undefined) return { message: `"${source}" is not a matcher`, fix: 'write it as planned=~"yes|"' };
  if (!matcher.isEqual) return { message: 'a matcher that declares something must be = or =~', fix: 'use = or =~' };
  const reason = matcher.isRegex ? regexError(matcher.value) : undefined;
  return reason === undefined ? undefined : { message: `invalid regular expression: ${reason}`, fix: 'use RE2 syntax' };
}

const matcher = z
  .string()
  .superRefine((source, context) => {
    const problem = matcherProblem(source);
    if (problem === undefined) return;
    context.addIssue({ code: 'custom', input: source, message: problem.message, params: { fix: problem.fix } });
  })
  .meta({
    title: 'label matcher',
    description:
      'A silence with exactly this matcher is maintenance too. With =~"yes|" it mutes alerts without the label.',
  });

export const maintenance = z
  .strictObject({
    budget: duration(
      'Maintenance a node may have per calendar month (UTC); what is beyond counts as usual. 0s grants none.',
    ).default('0s'),
    comment_prefix: z
      .string()
      .meta({ title: 'text', description: 'A silence whose comment starts with this is maintenance; "" for none.' })
      .default('maintenance:'),
    matcher: matcher.optional(),
    creators: z
      .array(text('Creator as the silence names it.'))
      .meta({ title: 'list of creators', description: "Whose silences are maintenance; everybody's when empty." })
      .default([]),
    notice: duration(
      'A change to a silence takes effect this long after it was made, so that every engine has heard of it.',
      SHORTEST_NOTICE_MS,
    ).default('30s'),
    gate: oneOf(['allow', 'deny'], 'What gateways hear of a node in maintenance.').default('allow'),
  })
  .meta({
    description:
      'Planned maintenance: ticks under an Alertmanager silence that names a node and declares it count on neither side of uptime.',
  });
