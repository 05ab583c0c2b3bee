/** Values that are fine alone and impossible together. */
import { type CapabilityView, capabilityViews } from './capability-view.ts';
import { entryProblems } from './consistency-entries.ts';
import { formatDuration, parseDuration } from './duration.ts';
import type { Problem } from './issues.ts';
import type { PolicyFile } from './schema.ts';
import type { YamlPath } from './yaml.ts';

/** Picks, of the paths that take part in a contradiction, the one the user wrote; the first when several were. */
export type Blame = (...paths: [YamlPath, ...YamlPath[]]) => YamlPath;

/** A policy file with every default, and how to find whom to blame. */
export interface Draft {
  readonly file: PolicyFile;
  readonly views: readonly [CapabilityView, ...CapabilityView[]];
  readonly blame: Blame;
}

/** Every contradiction in a policy file whose single values are valid. */
export function consistencyProblems(file: PolicyFile, blame: Blame): readonly Problem[] {
  const draft = { file, views: capabilityViews(file), blame };
  return [
    ...entryProblems(draft),
    ...backfillProblems(draft),
    ...presenceProblems(draft),
    ...identityProblems(draft),
    ...delayProblems(draft),
    ...actionProblems(draft),
    ...pingProblems(draft),
    ...maintenanceProblems(draft),
  ];
}

function problem(path: YamlPath, message: string, fix: string, severity: Problem['severity'] = 'error'): Problem {
  return { path, part: 'value', severity, message, fix };
}

/** Milliseconds of a duration; 0 for one that is missing, which another check reports. */
function ms(text: string | undefined): number {
  return (text === undefined ? undefined : parseDuration(text)) ?? 0;
}

function backfillProblems({ file, views, blame }: Draft): Problem[] {
  const ranges = views.flatMap(({ path, windows }) =>
    Object.entries(windows).map(([name, { range }]) => ({ path: [...path, 'windows', name, 'range'], name, range })),
  );
  const longest = ranges.reduce((a, b) => (ms(b.range) > ms(a.range) ? b : a), {
    path: ['windows'],
    name: '',
    range: '0',
  });
  if (ms(longest.range) <= ms(file.backfill)) return [];
  const message = `the ${longest.name} window is ${longest.range}, but a cold start replays only ${file.backfill}`;
  return [
    problem(blame(['backfill'], longest.path), message, `raise backfill to at least ${longest.range}, or remove it`),
  ];
}

function presenceProblems({ file, blame }: Draft): Problem[] {
  const { fresh, remember } = file.presence;
  const paths: [YamlPath, YamlPath] = [['presence', 'fresh'], ['interval']];
  const problems: Problem[] = [];
  if (ms(fresh) < 2 * ms(file.interval)) {
    const message = `fresh is ${fresh}, less than two intervals of ${file.interval}: one late scrape looks like a death`;
    problems.push(
      problem(blame(...paths), message, `use at least ${formatDuration(2 * ms(file.interval))}`, 'warning'),
    );
  }
  if (ms(remember) < ms(fresh)) {
    const message = `remember is ${remember}, shorter than fresh (${fresh}): no vanished GPU would ever count as down`;
    problems.push(problem(blame(['presence', 'remember'], ...paths), message, 'use hours, such as 24h'));
  }
  return problems;
}

function identityProblems({ file, views, blame }: Draft): Problem[] {
  const { gpu, node, labels } = file.identity;
  const known = [gpu, node, ...labels];
  const twice = known.filter((label, index) => known.indexOf(label) !== index);
  const unknown = views.flatMap(({ path, gpus }) =>
    Object.keys(gpus).flatMap((label) => (known.includes(label) ? [] : [{ label, path: [...path, 'gpus', label] }])),
  );
  const blamed = blame(['identity', 'labels'], ['identity', 'gpu'], ['identity', 'node']);
  return [
    ...[...new Set(twice)].map((label) => problem(blamed, `label "${label}" is listed twice`, 'list every label once')),
    ...unknown.map(({ label, path }) => ({
      ...problem(
        path,
        `no GPU is known by label "${label}"`,
        `use one of ${known.join(', ')}, or add it to identity.labels`,
      ),
      part: 'key' as const,
    })),
  ];
}

function delayProblems({ file, blame }: Draft): Problem[] {
  const { first_multiplier: first, max_multiplier: max } = file.delay;
  if (max >= first) return [];
  const path = blame(['delay', 'max_multiplier'], ['delay', 'first_multiplier']);
  return [
    problem(
      path,
      `max_multiplier ${max} is below first_multiplier ${first}`,
      `use at least ${first}, or lower first_multiplier`,
    ),
  ];
}

function actionProblems({ file, blame }: Draft): Problem[] {
  const { fresh } = file.actions;
  if (ms(fresh) >= 2 * ms(file.interval)) return [];
  const path = blame(['actions', 'fresh'], ['interval']);
  const message = `fresh is ${fresh}, less than two intervals of ${file.interval}: alerts would seem to end between ticks`;
  const fix = `use at least ${formatDuration(2 * ms(file.interval))}, and two evaluation intervals of the rules`;
  return [problem(path, message, fix, 'warning')];
}

function pingProblems({ file, blame }: Draft): Problem[] {
  const { base_interval: base, max_interval: max } = file.ping;
  if (ms(max) >= ms(base)) return [];
  const path = blame(['ping', 'max_interval'], ['ping', 'base_interval']);
  return [
    problem(
      path,
      `max_interval ${max} is shorter than base_interval ${base}`,
      `use at least ${base}, or lower base_interval`,
    ),
  ];
}

const LONGEST_MONTH = '31d';

function maintenanceProblems({ file, blame }: Draft): Problem[] {
  const { budget, comment_prefix: prefix, matcher } = file.maintenance;
  if (ms(budget) === 0) return [];
  const problems: Problem[] = [];
  if (prefix.trim() === '' && matcher === undefined) {
    const message = 'with an empty comment_prefix and no matcher, no silence declares maintenance';
    const path = blame(['maintenance', 'comment_prefix'], ['maintenance', 'budget']);
    problems.push(problem(path, message, 'write a prefix such as "maintenance:", or a matcher'));
  }
  if (ms(budget) < ms(file.interval)) {
    const path = blame(['maintenance', 'budget'], ['interval']);
    problems.push(
      problem(path, `budget ${budget} is less than one interval of ${file.interval}`, 'use hours, such as 8h'),
    );
  }
  if (ms(budget) > ms(LONGEST_MONTH)) {
    const message = `budget ${budget} is longer than a month: maintenance without limit hides any outage`;
    problems.push(problem(blame(['maintenance', 'budget']), message, 'use hours, such as 8h'));
  }
  return problems;
}
