/** The metrics of the process and of Node.js, from prom-client. */

import { collectDefaultMetrics, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';
import type { Family, Series } from './exposition.ts';

/** Starts prom-client's own observers, in a registry of their own; each call of the result reads them anew. */
export function createProcessMetrics(): () => Promise<readonly Family[]> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  return async () => (await registry.getMetricsAsJSON()).map(toFamily);
}

// Gauges that promtool refuses for ending in _total; prom-client keeps them for old dashboards only.
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

type PromClientMetric = MetricObjectWithValues<MetricValue<string> & { readonly metricName?: string }>;

function toFamily({ name, help, type, values }: PromClientMetric): Family {
  return {
    name,
    type: typeOf(type),
    help,
    labelOrder: 'sorted',
    series: values.map((value) => toSeries(name, value)),
  };
}

const types = ['gauge', 'counter', 'histogram', 'summary'] as const;

// The library's types say that this is a number; it is a word.
function typeOf(type: PromClientMetric['type']): Family['type'] {
  return types.find((word) => word === String(type)) ?? 'untyped';
}

// Parts of a histogram carry their whole name, and `le` is a number.
function toSeries(name: string, { metricName = name, labels, value }: PromClientMetric['values'][number]): Series {
  const texts = Object.entries(labels).map(([label, text]) => [label, String(text)]);
  return { suffix: metricName.slice(name.length), labels: Object.fromEntries(texts), value };
}
