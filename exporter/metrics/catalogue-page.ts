/** The metrics catalogue: METRICS.md, written from the tables the exporter itself works with. */

import { labelFields } from './catalog/label-fields.ts';
import { type Topic, topics } from './catalog.ts';
import type { ExpressionField } from './dcgm/selection.ts';
import type { Metric } from './metric.ts';
import type { Definition } from './native/definition.ts';
import { nativeTopics } from './native/families.ts';
import { platformDefinitions } from './native/platform.ts';

const intro = `# Metrics

This page is generated from the catalog in [metrics/](metrics/catalog.ts).

One reading of the driver is published under three kinds of names. \`/metrics?profile=\` chooses one, or several with commas. The
names that \`native\` and \`platform\` both have are published as \`native\` does where both are asked for.

- \`dcgm\`: names, labels, types and values of NVIDIA's dcgm-exporter.
- \`native\`: base units, the label \`uuid\` on everything, and series that outlive the GPU.
- \`platform\`: eight names of the GPU platform's documents.

What a card cannot say is absent; it is never 0, NaN or the number a driver writes for "blank". \`gpu_exporter_*\`, about the
exporter itself, is on every page.

## Readings

The first half of a table is the dcgm profile, the second the native one. **Default** fields are published without a counters
file, all others when a counters file names them, by any of their names. Types and help texts of a counters file win over the ones
here. A GPU that MIG divides has one row per GPU instance in the dcgm profile, as in dcgm-exporter: each shows the instance's own
memory and activity, and what belongs to the whole card, such as its temperature, as often as there are instances.
`;

const labelsText = `## Labels of the dcgm profile

In this order: \`gpu\`, \`UUID\`, \`pci_bus_id\`, \`device\`, \`modelName\`, for an instance of MIG \`GPU_I_PROFILE\` and
\`GPU_I_ID\`, then \`Hostname\` or \`hostname\`, then the text fields of the counters file by name, then attributes by name:
\`err_code\` and \`err_msg\` of \`DCGM_FI_DEV_XID_ERRORS\`, and \`hpc_job\`.

\`DCGM_FI_DEV_XID_ERRORS\` is there, with 0 and \`No Error\`, before the first XID, wherever somebody listens for XIDs. A GPU that
is gone keeps it, for its last XID is often why, and the counts of events below where a counters file asks for them; its other
series end. A GPU that answers has 0 again after a restart of the exporter, as with dcgm-exporter: \`gpu_xid_errors_total\` and
\`gpu_last_xid_timestamp_seconds\` of the native profile outlive it where there is a state file.
`;

const expressionMeanings: Readonly<Record<ExpressionField, string>> = {
  DCGM_EXP_XID_ERRORS_COUNT: 'XIDs within the window, by code.',
  DCGM_EXP_XID_ERRORS_TOTAL: 'XIDs since the exporter was started, by code.',
  DCGM_EXP_CLOCK_EVENTS_COUNT:
    'Samples within the window in which a reason held the clocks down, by reason: more samples, more counts.',
  DCGM_EXP_CLOCK_EVENTS_TOTAL: 'How often each reason began to hold the clocks down since the exporter was started.',
};

const nativeText = `## Native metrics that are more than one reading

Counters of XIDs begin at 0 and are kept over restarts of the exporter where it has a state file. Counters of time begin at 0 with
each start of the exporter, as those of any process, so that \`increase()\` is right over restarts and crashes; the time in which no
exporter ran is in none of them. The whole life of a GPU, with that time as unobserved, is at \`/api/v1/gpus\`. \`gpu_info\` says once
what other exporters repeat on every series: \`gpu_power_watts * on (uuid) group_left (model_name, hostname) gpu_info\`.
`;

const platformText = `## Platform

Labels are \`gpu\`, \`uuid\` and \`hostname\`; \`gpu_state\` also has \`state\`.
`;

/** The whole page, in Markdown. */
export function cataloguePage(): string {
  return [
    intro,
    ...topics.map(topicSection),
    labelsText,
    section('Text fields', 3, labelTable()),
    section('Counts of events', 3, expressionTable()),
    nativeText,
    ...nativeTopics.map(({ title, definitions }) => section(title, 3, definitionTable(definitions))),
    platformText,
    definitionTable(platformDefinitions),
  ].join('\n');
}

function topicSection({ title, metrics }: Topic): string {
  const head = ['DCGM field', 'id', 'other names', 'type', 'unit', 'native', 'type', 'unit', 'meaning', 'from'];
  return section(title, 3, table(head, metrics.map(metricCells)));
}

function metricCells({ dcgm, native, source }: Metric): readonly string[] {
  const name = dcgm === undefined ? '' : `${code(dcgm.field)}${dcgm.isDefault ? ' **default**' : ''}`;
  return [
    name,
    dcgm === undefined ? '' : String(dcgm.id),
    (dcgm?.aliases ?? []).map(code).join(' '),
    dcgm?.type ?? '',
    dcgm?.unit ?? '',
    native === undefined ? '' : code(`${native.name}${ownLabels(native.labels)}`),
    native?.type ?? '',
    unitText(native?.unit),
    native?.help ?? dcgm?.help ?? '',
    source,
  ];
}

function ownLabels(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function labelTable(): string {
  const rows = labelFields.map(({ field, id, aliases, help, isDefault }) => [
    `${code(field)}${isDefault ? ' **default**' : ''}`,
    String(id),
    aliases.map(code).join(' '),
    help,
  ]);
  return table(['DCGM field', 'id', 'other names', 'meaning'], rows);
}

function expressionTable(): string {
  const rows = Object.entries(expressionMeanings).map(([field, meaning]) => [code(field), meaning]);
  return table(['name', 'meaning'], rows);
}

function definitionTable(definitions: readonly Definition[]): string {
  const rows = definitions.map(({ name, type, unit, labels, help }) => [
    code(name),
    type,
    unitText(unit),
    labels.map(code).join(' '),
    help,
  ]);
  return table(['name', 'type', 'unit', 'labels', 'meaning'], rows);
}

function section(title: string, level: number, body: string): string {
  return `${'#'.repeat(level)} ${title}\n\n${body}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows.map((cells) => cells.map(escapeCell))];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function code(text: string): string {
  return `\`${text}\``;
}

function unitText(unit: string | undefined): string {
  return (unit ?? '').replaceAll('_', ' ');
}
