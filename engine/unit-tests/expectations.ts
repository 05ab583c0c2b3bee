/** What a test expects, of alerts, expressions, messages and decisions. */
import type { LabelSet } from '../core/alert.ts';
import { checkPromql } from '../promql/promql.ts';
import {
  type Field,
  type Fields,
  placeInText,
  readDuration,
  readFields,
  readList,
  readNamed,
  readText,
  report,
} from '../rules/rule-fields.ts';
import { readSeries } from './input-series.ts';
import type {
  AlertTest,
  DecisionTest,
  ExpectedAlert,
  ExpectedMessage,
  ExpectedSample,
  ExpectedState,
  ExprTest,
  MessageTest,
  StateTest,
  Trouble,
} from './unit-test.ts';

export function readAlertTest(item: Field): AlertTest | undefined {
  const fields = readFields(item, ['eval_time', 'alertname', 'exp_alerts']);
  if (fields === undefined) return undefined;
  const alertname = required(fields, 'alertname');
  const expected = entries(fields, 'exp_alerts', ['exp_labels', 'exp_annotations'], (entry) =>
    readAlert(entry, alertname),
  );
  return { line: item.place.line, atMs: instant(fields, 'eval_time'), alertname, expected };
}

export function readExprTest(item: Field): ExprTest | undefined {
  const fields = readFields(item, ['expr', 'eval_time', 'exp_samples']);
  if (fields === undefined) return undefined;
  const expr = required(fields, 'expr');
  for (const { message, fix, from, to } of expr === '' ? [] : checkPromql(expr)) {
    report(fields.field('expr'), { message, fix }, placeInText(fields.field('expr'), from, to));
  }
  const expected = entries(fields, 'exp_samples', ['labels', 'value', 'histogram'], readSample);
  return { line: item.place.line, expr, atMs: instant(fields, 'eval_time'), expected };
}

export function readStateTest(item: Field): StateTest | undefined {
  const fields = readFields(item, ['eval_time', 'alertname', 'exp_alerts']);
  if (fields === undefined) return undefined;
  const alertname = required(fields, 'alertname');
  const keys = ['state', 'exp_labels', 'exp_annotations', 'active_at'];
  const expected = entries(fields, 'exp_alerts', keys, (entry): ExpectedState => {
    const activeAtMs = readDuration(entry.field('active_at'));
    return { ...readAlert(entry, alertname), state: readState(entry.field('state')), activeAtMs };
  });
  return { line: item.place.line, atMs: instant(fields, 'eval_time'), alertname, expected };
}

export function readMessageTest(item: Field): MessageTest | undefined {
  const fields = readFields(item, ['from', 'to', 'alertname', 'exp_messages']);
  if (fields === undefined) return undefined;
  const alertname = required(fields, 'alertname');
  const keys = ['at', 'starts_at', 'ends_at', 'exp_labels', 'exp_annotations'];
  const expected = entries(fields, 'exp_messages', keys, (entry): ExpectedMessage => {
    const [atMs, startsAtMs, endsAtMs] = [instant(entry, 'at'), instant(entry, 'starts_at'), instant(entry, 'ends_at')];
    return { ...readAlert(entry, alertname), atMs, startsAtMs, endsAtMs };
  });
  return { line: item.place.line, fromMs: instant(fields, 'from'), toMs: instant(fields, 'to'), alertname, expected };
}

export function readDecisionTest(item: Field): DecisionTest | undefined {
  const fields = readFields(item, [
    'eval_time',
    'capability',
    'node',
    'gpu',
    'exp_status',
    'exp_retry_after',
    'exp_reason',
  ]);
  if (fields === undefined) return undefined;
  const [node, gpu, reason] = [
    readText(fields.field('node')),
    readText(fields.field('gpu')),
    readText(fields.field('exp_reason')),
  ];
  return {
    line: item.place.line,
    atMs: instant(fields, 'eval_time'),
    capability: readText(fields.field('capability')) ?? 'default',
    node,
    gpu,
    status: readNumber(fields.field('exp_status')) ?? 200,
    retryAfter: readNumber(fields.field('exp_retry_after')),
    reason,
  };
}

/** A span, with the name of what it concerns under `subject`. */
export function readTrouble(item: Field, subject: 'group' | 'rule'): Trouble | undefined {
  const fields = readFields(item, ['from', 'to', subject]);
  if (fields === undefined) return undefined;
  return { fromMs: instant(fields, 'from'), toMs: instant(fields, 'to'), name: readText(fields.field(subject)) };
}

function entries<T>(fields: Fields, name: string, keys: readonly string[], read: (entry: Fields) => T): readonly T[] {
  return readList(fields.field(name), name).flatMap((item) => {
    const entry = readFields(item, keys);
    return entry === undefined ? [] : [read(entry)];
  });
}

function required(fields: Fields, name: string): string {
  const text = readText(fields.field(name)) ?? '';
  if (text === '') report(fields.field(name), { message: `"${name}" is missing`, fix: `add "${name}: …"` });
  return text;
}

/** Milliseconds since the test's start; 0 when it is not written. */
function instant(fields: Fields, name: string): number {
  return readDuration(fields.field(name)) ?? 0;
}

/** The rule's name is a label of its alerts; whoever writes a test need not repeat it. */
function readAlert(entry: Fields, alertname: string): ExpectedAlert {
  const labels = { ...readTexts(entry.field('exp_labels')), alertname };
  return { labels, annotations: readTexts(entry.field('exp_annotations')) };
}

function readTexts(field: Field): LabelSet {
  return Object.fromEntries(readNamed(field).map(({ name, value }) => [name, readText(value) ?? '']));
}

const STATES = ['pending', 'firing', 'resolved'] as const;

function readState(field: Field): ExpectedState['state'] {
  const text = readText(field);
  const state = STATES.find((known) => known === text);
  if (state === undefined)
    report(field, { message: `"${text ?? ''}" is not a state`, fix: `write ${STATES.join(', ')}` });
  return state ?? 'firing';
}

function readSample(entry: Fields): ExpectedSample {
  if (entry.field('histogram').node !== undefined) {
    const fix = 'give a plain value; histogram_count and histogram_sum turn a histogram into one';
    report(entry.field('histogram'), { message: 'native histograms are not supported', fix });
  }
  return { labels: readSeries(entry.field('labels')), value: readNumber(entry.field('value')) ?? 0 };
}

const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
};

function readNumber(field: Field): number | undefined {
  const text = readText(field);
  if (text === undefined) return undefined;
  const number = SPECIAL[text.replace('.', '').toLowerCase()] ?? (text.trim() === '' ? Number.NaN : Number(text));
  const isNumber = !Number.isNaN(number) || /^\.?nan$/i.test(text);
  if (!isNumber) report(field, { message: `"${text}" is not a number`, fix: 'write a number, such as 15 or 1.5e3' });
  return isNumber ? number : undefined;
}
