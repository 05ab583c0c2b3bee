/** From the elements of a query's result to elements of the rule: labels and annotations expanded. */
import { setImmediate } from 'node:timers/promises';
import { type AlertElement, alertLabels, type LabelSet } from '../core/alert.ts';
import type { Sample } from '../prometheus/query.ts';
import type { AlertingRule } from './rule.ts';
import type { Template, TemplateData, TemplateWorld } from './template/template.ts';

export interface Expansion {
  readonly world: TemplateWorld;
  readonly externalLabels: LabelSet;
  readonly externalUrl: string;
}

/** Gateways are answered between two portions of a large result. */
const ELEMENTS_AT_ONCE = 200;

/** Labels and annotations see the labels of their element, not those of the rule. */
export async function expandElements(
  rule: AlertingRule,
  samples: readonly Sample[],
  expansion: Expansion,
): Promise<readonly AlertElement[]> {
  const elements: AlertElement[] = [];
  for (const [index, sample] of samples.entries()) {
    if (index > 0 && index % ELEMENTS_AT_ONCE === 0) await setImmediate();
    const element = expandElement(rule, sample, expansion);
    elements.push(element instanceof Promise ? await element : element);
  }
  return elements;
}

function expandElement(
  rule: AlertingRule,
  { labels, value }: Sample,
  { world, externalLabels, externalUrl }: Expansion,
): AlertElement | Promise<AlertElement> {
  const data = { labels, value, externalLabels, externalUrl };
  const own = expandAll(rule.labels, data, world);
  const annotations = expandAll(rule.annotations, data, world);
  const element = (of: LabelSet, texts: LabelSet) => ({
    labels: alertLabels(rule, labels, of),
    annotations: texts,
    value,
  });
  if (!(own instanceof Promise) && !(annotations instanceof Promise)) return element(own, annotations);
  return Promise.all([own, annotations]).then(([of, texts]) => element(of, texts));
}

/** A promise only when a template asks Prometheus: ten thousand elements cannot each wait for a turn. */
function expandAll(
  templates: Readonly<Record<string, Template>>,
  data: TemplateData,
  world: TemplateWorld,
): LabelSet | Promise<LabelSet> {
  const texts: [string, string][] = [];
  const late: Promise<[string, string]>[] = [];
  for (const [name, template] of Object.entries(templates)) {
    const text = template.expand(data, world);
    if (typeof text === 'string') texts.push([name, text]);
    else late.push(text.then((arrived) => [name, arrived]));
  }
  if (late.length === 0) return Object.fromEntries(texts);
  return Promise.all(late).then((arrived) => Object.fromEntries([...texts, ...arrived]));
}
