/** A strict reader of OpenMetrics 1.0.0, after the grammar and the rules of its specification. Throws at the first offence. */

interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string | undefined;
  readonly help: string | undefined;
  readonly samples: readonly ParsedSample[];
}

const suffixesByType: Readonly<Record<string, readonly string[]>> = {
  unknown: [''],
  gauge: [''],
  counter: ['_total', '_created'],
  info: ['_info'],
  histogram: ['_bucket', '_count', '_sum', '_created'],
  summary: ['', '_count', '_sum', '_created'],
};

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const text = '(?:[^\\n\\\\"]|\\\\.)*';
const real = '[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?';
const descriptor = new RegExp(`^# (TYPE|UNIT|HELP) (${name}) (${text})$`, 's');
const sample = new RegExp(`^(${name})(?:\\{(.*)\\})? (${real}|\\+Inf)$`, 's');
const label = new RegExp(`([a-zA-Z_][a-zA-Z0-9_]*)="(${text})"(?:,(?=[a-zA-Z_])|$)`, 'sy');

/** Every family of a page, in its order. */
export function parseOpenMetrics(page: string): readonly ParsedFamily[] {
  const lines = page.split('\n');
  check(lines.pop() === '', 'the page ends with a line feed', page.slice(-20));
  check(lines.pop() === '# EOF', 'the last line is # EOF', page.slice(-20));
  const families: MutableFamily[] = [];
  for (const line of lines) {
    if (line.startsWith('#')) addDescriptor(families, line);
    else addSample(families.at(-1), line);
  }
  for (const family of families) checkFamily(family);
  checkNames(families);
  return families.map(({ described: _, ...family }) => family);
}

interface MutableFamily {
  readonly name: string;
  type: string;
  unit: string | undefined;
  help: string | undefined;
  readonly described: Set<string>;
  readonly samples: ParsedSample[];
}

function addDescriptor(families: MutableFamily[], line: string): void {
  const [, kind = '', family = '', value = ''] =
    descriptor.exec(line) ?? fail('a descriptor follows the grammar', line);
  const last = families.at(-1);
  if (last?.name !== family) {
    check(!families.some((other) => other.name === family), 'a family appears once', line);
    families.push({
      name: family,
      type: 'unknown',
      unit: undefined,
      help: undefined,
      described: new Set(),
      samples: [],
    });
  }
  const current = families.at(-1) ?? fail('there is a family', line);
  check(current.samples.length === 0, 'descriptors come before samples', line);
  check(!current.described.has(kind), 'a descriptor appears once', line);
  current.described.add(kind);
  if (kind === 'TYPE') current.type = value;
  if (kind === 'UNIT') current.unit = value;
  if (kind === 'HELP') current.help = unescaped(value);
}

function addSample(last: MutableFamily | undefined, line: string): void {
  const [, sampleName = '', labels = '', value = ''] = sample.exec(line) ?? fail('a sample follows the grammar', line);
  const family = last ?? fail('a sample belongs to a family', line);
  const suffixes = suffixesByType[family.type] ?? fail('the type is known', family.type);
  const isOwn = suffixes.some((suffix) => sampleName === family.name + suffix);
  check(isOwn, `a sample of ${family.type} ${family.name} has a suffix of its type`, line);
  family.samples.push({
    name: sampleName,
    labels: parseLabels(labels),
    value: Number(value.replace('+Inf', 'Infinity')),
  });
}

function parseLabels(labels: string): Readonly<Record<string, string>> {
  const parsed: Record<string, string> = {};
  label.lastIndex = 0;
  while (label.lastIndex < labels.length) {
    const [, key = '', value = ''] = label.exec(labels) ?? fail('labels follow the grammar', labels);
    check(!Object.hasOwn(parsed, key), 'a label appears once', labels);
    parsed[key] = unescaped(value);
  }
  return parsed;
}

function unescaped(escaped: string): string {
  return escaped.replaceAll(/\\(.)/gs, (_, char: string) => (char === 'n' ? '\n' : char));
}

function checkFamily({ name: family, type, unit, samples }: MutableFamily): void {
  check(unit === undefined || family.endsWith(`_${unit}`), 'the name ends in the unit', `${family} ${unit}`);
  check(unit === undefined || type !== 'info', 'an info has no unit', family);
  const keys = samples.map((one) => JSON.stringify([one.name, Object.entries(one.labels).toSorted()]));
  check(new Set(keys).size === keys.length, 'no series appears twice', family);
  if (type === 'info')
    check(
      samples.every(({ value }) => value === 1),
      'an info is 1',
      family,
    );
  if (type === 'counter')
    check(
      samples.every(({ value }) => value >= 0),
      'a counter is not negative',
      family,
    );
  if (type === 'histogram') checkBuckets(family, samples);
}

function checkBuckets(family: string, samples: readonly ParsedSample[]): void {
  const buckets = samples.filter((one) => one.name === `${family}_bucket`);
  const groups = Map.groupBy(buckets, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const [group, ofGroup] of groups) {
    const bounds = ofGroup.map(({ labels }) => Number(labels.le?.replace('+Inf', 'Infinity')));
    check(bounds.at(-1) === Number.POSITIVE_INFINITY, 'the last bucket is +Inf', group);
    const isRising = (values: readonly number[]) =>
      values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0));
    check(isRising(bounds) && isRising(ofGroup.map(({ value }) => value)), 'buckets rise', group);
  }
}

function checkNames(families: readonly MutableFamily[]): void {
  const possible = families.flatMap(({ name: family, type }) => [
    ...new Set([family, ...(suffixesByType[type] ?? []).map((suffix) => family + suffix)]),
  ]);
  const twice = possible.filter((one, index) => possible.indexOf(one) !== index);
  check(twice.length === 0, 'no two families could have the same sample', twice.join());
}

function check(isTrue: boolean, rule: string, where: string): void {
  if (!isTrue) fail(rule, where);
}

function fail(rule: string, where: string): never {
  throw new Error(`not OpenMetrics (${rule}): ${where}`);
}
