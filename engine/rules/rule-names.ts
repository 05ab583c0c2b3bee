/** Names of labels, annotations and recorded metrics, as Prometheus 3 takes them: any UTF-8 text. */
import type { Position } from '../policy/diagnostics.ts';
import { type Field, report } from './rule-fields.ts';

const NAME_OF_OLD = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const METRIC_OF_OLD = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const METRIC_NAME_LABEL = '__name__';

export type NamedKind = 'label' | 'annotation';

/** Reports what is wrong with a name, or that only newer versions of Prometheus take it. */
export function checkName(field: Field, kind: NamedKind, { name, key }: { name: string; key: Position }): void {
  if (name === '') {
    report(field, { message: `the ${kind} has no name`, fix: 'write its name before the ":"' }, key);
  } else if (kind === 'label' && name === METRIC_NAME_LABEL) {
    const fix = 'remove it: "record" names a metric, and an alert has no metric name';
    report(field, { message: `"${name}" is not the name of a label`, fix }, key);
  } else if (!NAME_OF_OLD.test(name)) {
    reportNew(field, `the ${kind} name "${name}"`, key);
  }
}

/** The same for the metric that a rule records. */
export function checkMetricName(field: Field, name: string): void {
  if (/[{}]/.test(name)) {
    const fix = 'write the name of the new series alone; matchers belong into "expr", new labels under "labels"';
    report(field, { message: `"${name}" has braces, so it is not the name of a metric`, fix });
  } else if (!METRIC_OF_OLD.test(name)) reportNew(field, `the metric name "${name}"`);
}

function reportNew(field: Field, what: string, place?: Position): void {
  const fix = 'use letters, digits and _, and no digit first, if an older Prometheus loads the file too';
  report(field, { severity: 'warning', message: `${what} needs Prometheus 3`, fix }, place);
}
