/** Turns the bodies of Prometheus' query API into samples and series, trusting nothing about them. */
import { type Labels, QueryError, type Range, type Sample, type Series } from './query.ts';

/** Decodes the answer to an instant query. Throws QueryError when it is not one. */
export function decodeVector(body: unknown): readonly Sample[] {
  const { resultType, result } = decodeData(body);
  if (resultType === 'scalar') return [{ labels: {}, value: pointValue(result) }];
  if (resultType !== 'vector') throw badAnswer(`expected a vector, got ${String(resultType)}`);
  return asArray(result).map((element) => {
    const { metric, value, histogram } = asObject(element);
    if (histogram !== undefined) throw histograms();
    return { labels: decodeLabels(metric), value: pointValue(value) };
  });
}

/** Decodes the answer to a range query onto the range's grid. Throws QueryError when it is not one. */
export function decodeMatrix(body: unknown, range: Range): readonly Series[] {
  const { resultType, result } = decodeData(body);
  if (resultType !== 'matrix') throw badAnswer(`expected a matrix, got ${String(resultType)}`);
  return asArray(result).map((element) => {
    const { metric, values, histograms: other } = asObject(element);
    if (other !== undefined) throw histograms();
    return { labels: decodeLabels(metric), values: decodeColumn(asArray(values), range) };
  });
}

function decodeColumn(points: readonly unknown[], { startMs, endMs, stepMs }: Range): Float64Array {
  const column = new Float64Array(Math.floor((endMs - startMs) / stepMs) + 1).fill(Number.NaN);
  for (const point of points) {
    const [seconds] = asArray(point);
    const slot = Math.round((Number(seconds) * 1000 - startMs) / stepMs);
    if (slot >= 0 && slot < column.length) column[slot] = pointValue(point);
  }
  return column;
}

function decodeData(body: unknown): Record<string, unknown> {
  const { status, data, error, errorType } = asObject(body);
  if (status === 'success') return asObject(data);
  const text = `Prometheus refused the query: ${String(error ?? 'no reason given')}`;
  throw new QueryError(errorType === 'bad_data' ? 'bad_data' : 'server_error', text);
}

function decodeLabels(metric: unknown): Labels {
  const labels = asObject(metric);
  if (Array.isArray(metric)) throw badAnswer('a list in place of labels');
  // A loop without lists: a tick decodes tens of thousands of series.
  for (const name in labels) {
    if (name === '') throw badAnswer('a label without a name');
    if (typeof labels[name] !== 'string') throw badAnswer(`a label ${shown(name)} whose value is no text`);
  }
  // Every value is a string by now.
  return labels as Labels;
}

/** Go's NaN, +Inf and -Inf are not JavaScript's spellings. */
const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  '+Inf': Infinity,
  '-Inf': -Infinity,
  Inf: Infinity,
};

function pointValue(point: unknown): number {
  const text = Array.isArray(point) ? point[1] : undefined;
  if (typeof text !== 'string' || text === '') throw badAnswer('a sample without a value');
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  const special = SPECIAL[text];
  if (special === undefined) throw badAnswer(`a sample with the value ${shown(text)}`);
  return special;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw badAnswer(`expected an object, got ${kindOf(value)}`);
  return value as Record<string, unknown>;
}

function asArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw badAnswer(`expected a list, got ${kindOf(value)}`);
  return value;
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

/** Prometheus answers as it should, and the query is what has to change. */
function histograms(): QueryError {
  const fix = 'apply histogram_quantile(), histogram_sum(), histogram_count() or histogram_avg() to them';
  return new QueryError('bad_data', `the result holds native histograms, which rules here cannot use: ${fix}`);
}

function badAnswer(what: string): QueryError {
  return new QueryError('bad_answer', `the answer is not Prometheus' query API: ${what}; check PROMETHEUS_URL`);
}
