/** One entry of `input_series`: a series and its samples. */
import type { LabelSet } from '../core/alert.ts';
import { checkPromql, selectorsOf } from '../promql/promql.ts';
import { type Field, placeInText, readFields, readText, report } from '../rules/rule-fields.ts';
import { readNotation } from './series-notation.ts';
import type { InputSeries } from './unit-test.ts';

export function readInputSeries(item: Field): InputSeries | undefined {
  const fields = readFields(item, ['series', 'values']);
  if (fields === undefined) return undefined;
  const [series, values] = [fields.field('series'), fields.field('values')];
  if (series.node === undefined) report(series, { message: 'the series has no name', fix: 'add "series: …"' });
  const labels = readSeries(series);
  const notation = readNotation(readText(values) ?? '');
  if (notation.ok) return { labels, samples: notation.samples };
  const { message, fix, from, to } = notation.problem;
  report(values, { message, fix }, placeInText(values, from, to));
  return undefined;
}

/** The labels of a series written as `name{label="value"}`, `__name__` included; empty, and reported, when it is none. */
export function readSeries(field: Field): LabelSet {
  const text = (readText(field) ?? '').trim();
  if (/^(\{\s*\})?$/.test(text)) return {};
  const [problem] = checkPromql(text);
  const [selector] = problem === undefined ? selectorsOf(text) : [];
  const isWhole = selector !== undefined && selector.to - selector.from === text.length;
  const plain = isWhole ? selector.matchers.filter(({ op }) => op === '=') : [];
  if (!isWhole || plain.length < selector.matchers.length) {
    const fix = problem?.fix ?? 'write it like up{job="gpu"}, with = only';
    report(field, { message: `"${text}" is not a series${problem === undefined ? '' : `: ${problem.message}`}`, fix });
    return {};
  }
  const name = selector.name === undefined ? {} : { __name__: selector.name };
  return { ...name, ...Object.fromEntries(plain.map(({ label, value }) => [label, value])) };
}
