/** One row of a counters file: what it selects, why it is skipped, or what is wrong with it. */

import type { Diagnostic } from '../../diagnostic.ts';
import type { Metric } from '../metric.ts';
import { recordProblem, textProblem, trimSpaces, unknownField, wrongCount, wrongType } from './counter-problems.ts';
import type { CsvField } from './csv-records.ts';
import { type DcgmField, dcgmField, dcgmFieldNames, isProfilingField } from './field-names.ts';
import { isTextField, labelText } from './label-text.ts';
import type { ExpressionField, SelectedCounter, SelectedExpression, SelectedLabel } from './selection.ts';

export type MetricLookup = (name: string) => Metric | undefined;

export type CounterRow =
  | { readonly kind: 'counter'; readonly origin: Origin; readonly counter: SelectedCounter }
  | { readonly kind: 'expression'; readonly origin: Origin; readonly expression: SelectedExpression }
  | { readonly kind: 'label'; readonly origin: Origin; readonly label: SelectedLabel }
  | { readonly kind: 'skipped'; readonly line: number; readonly why: string }
  | { readonly kind: 'problem'; readonly problem: Diagnostic };

/** Where a row stands and which field it is for, whichever of its names it uses. */
interface Origin {
  readonly line: number;
  readonly name: string;
  readonly field: string;
}

const sampleTypes = ['gauge', 'counter', 'untyped'] as const;
const fieldTypes = [...sampleTypes, 'label'] as const;

const expressionFields = [
  'DCGM_EXP_XID_ERRORS_COUNT',
  'DCGM_EXP_XID_ERRORS_TOTAL',
  'DCGM_EXP_CLOCK_EVENTS_COUNT',
  'DCGM_EXP_CLOCK_EVENTS_TOTAL',
] as const satisfies readonly ExpressionField[];

/** Known, but made by DCGM. */
const missingExpressions = new Map([
  ['DCGM_EXP_GPU_HEALTH_STATUS', 'health watches are a service of DCGM, which is not used here'],
  ['DCGM_EXP_P2P_STATUS', 'DCGM finds out which GPUs reach each other over NVLink, and is not used here'],
]);

const allNames = [...dcgmFieldNames, ...expressionFields, ...missingExpressions.keys()];

interface Row {
  /** Without the spaces around it, like type and help. */
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly nameField: CsvField;
  readonly typeField: CsvField;
}

/**
 * What a record asks for. Whether a field can be supplied is judged before its type, as dcgm-exporter did until 4.8.2: a wrong
 * type in a row that is skipped anyway is not reported.
 */
export function readRow(record: readonly CsvField[], lookup: MetricLookup): CounterRow {
  const flaw = recordProblem(record);
  if (flaw !== undefined) return { kind: 'problem', problem: flaw };
  const row = rowOf(record);
  if (row === undefined) return { kind: 'problem', problem: wrongCount(record) };
  const field = dcgmField(row.name);
  return field === undefined ? readExpression(row) : readField(row, field, lookup);
}

function rowOf(record: readonly CsvField[]): Row | undefined {
  const [nameField, typeField, helpField] = record;
  if (nameField === undefined || typeField === undefined || helpField === undefined || record.length > 3)
    return undefined;
  const [name, type, help] = [trimSpaces(nameField.text), trimSpaces(typeField.text), trimSpaces(helpField.text)];
  return { name, type, help, nameField, typeField };
}

function readField(row: Row, field: DcgmField, lookup: MetricLookup): CounterRow {
  const { name, type, help, nameField, typeField } = row;
  const { line } = nameField;
  const metric = metricOf(name, field, lookup);
  const text = field.id === undefined ? undefined : labelText(field.id, metric);
  if (metric === undefined && text === undefined) return { kind: 'skipped', line, why: notSupplied(name, field) };
  const origin = { line, name, field: String(field.id ?? name) };
  if (type === 'label' && text !== undefined) return { kind: 'label', origin, label: { name, get: text } };
  if (!isSampleType(type)) return { kind: 'problem', problem: wrongType(typeField, type, fieldTypes) };
  if (metric !== undefined) return { kind: 'counter', origin, counter: { name, type, help, metric } };
  if (isTextField(field.id)) return { kind: 'problem', problem: textProblem(typeField, name, type) };
  return { kind: 'skipped', line, why: `${name} is skipped: it can be a label here, but not a ${type}.` };
}

// The catalog need not know every spelling: one of the field's names is enough.
function metricOf(name: string, field: DcgmField, lookup: MetricLookup): Metric | undefined {
  return [name, ...field.names].map(lookup).find((metric) => metric !== undefined);
}

function notSupplied(name: string, field: DcgmField): string {
  if (field.id === undefined) return `${name} is skipped: DCGM has no such field any more.`;
  return isProfilingField(field)
    ? `${name} is skipped: only DCGM's profiling can measure it.`
    : `${name} is skipped: it is not among the readings of this exporter.`;
}

function readExpression({ name, type, help, nameField, typeField }: Row): CounterRow {
  const why = missingExpressions.get(name);
  if (why !== undefined) return { kind: 'skipped', line: nameField.line, why: `${name} is skipped: ${why}.` };
  const field = expressionFields.find((known) => known === name);
  if (field === undefined) return { kind: 'problem', problem: unknownField(nameField, name, allNames) };
  if (!isSampleType(type)) return { kind: 'problem', problem: wrongType(typeField, type, sampleTypes) };
  return { kind: 'expression', origin: { line: nameField.line, name, field }, expression: { field, type, help } };
}

function isSampleType(type: string): type is (typeof sampleTypes)[number] {
  return (sampleTypes as readonly string[]).includes(type);
}
