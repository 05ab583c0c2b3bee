/** Functions on the results of queries. */
import { FunctionError, type FunctionTable, text } from './function.ts';
import { compareText, isObject, type Pointer, type Samples, type Struct, type Value } from './value.ts';

export const QUERY_FUNCTIONS: FunctionTable = {
  query: { parameters: ['string'], apply: ([expr], scope) => scope.answer(text(expr)) },
  first: { parameters: ['template.queryResult'], apply: ([result]) => first(samplesOf(result)) },
  label: {
    parameters: ['string', '*template.sample'],
    apply: ([name, sample]) => labelOf(sampleOf(sample), text(name)),
  },
  value: { parameters: ['*template.sample'], apply: ([sample]) => sampleOf(sample).fields.Value },
  strvalue: { parameters: ['*template.sample'], apply: ([sample]) => labelOf(sampleOf(sample), '__value__') },
  sortByLabel: {
    parameters: ['string', 'template.queryResult'],
    apply: ([name, result]) => sortByLabel(text(name), samplesOf(result)),
  },
};

function first({ items }: Samples): Value {
  const [sample] = items;
  if (sample === undefined) throw new FunctionError('first() called on vector with no elements');
  return sample;
}

function sortByLabel(name: string, samples: Samples): Samples {
  const key = (sample: Pointer) => text(labelOf(sampleOf(sample), name));
  samples.items.sort((a, b) => compareText(key(a), key(b)));
  return samples;
}

function samplesOf(value: Value): Samples {
  return isObject(value) && value.kind === 'samples' ? value : { kind: 'samples', items: [] };
}

function sampleOf(value: Value): Struct {
  const target = isObject(value) && value.kind === 'pointer' ? value.to : undefined;
  if (isObject(target) && target.kind === 'struct') return target;
  throw new FunctionError('runtime error: invalid memory address or nil pointer dereference');
}

function labelOf(sample: Struct, name: string): Value {
  const labels = sample.fields.Labels;
  if (!isObject(labels) || labels.kind !== 'map') return '';
  return Object.hasOwn(labels.entries, name) ? labels.entries[name] : '';
}
