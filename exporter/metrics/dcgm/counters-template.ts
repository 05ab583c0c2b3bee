/** A counters file to copy and edit: every counter there is, with those that are published without a file switched on. */

import { labelFields } from '../catalog/label-fields.ts';
import { topics } from '../catalog.ts';
import type { Metric } from '../metric.ts';
import type { SelectedExpression } from './selection.ts';

const intro = `# Which counters the dcgm profile publishes. Copy this file, take the # away from the rows you want, put one before the others, and
# give the copy to the exporter: EXPORTER_COUNTERS_FILE=copy.csv, or --collectors copy.csv as with dcgm-exporter.
#
# A row is DCGM FIELD, Prometheus type, help. The type is gauge, counter, untyped, or label for a text that goes onto every series.
# A help with a comma in it stands between double quotes. A comment has its # first in the line.
#
# The rows without # are what is published without a counters file.
`;

const expressions: readonly SelectedExpression[] = [
  { field: 'DCGM_EXP_XID_ERRORS_COUNT', type: 'gauge', help: 'XIDs within the window.' },
  { field: 'DCGM_EXP_XID_ERRORS_TOTAL', type: 'counter', help: 'XIDs since the exporter was started.' },
  { field: 'DCGM_EXP_CLOCK_EVENTS_COUNT', type: 'gauge', help: 'Samples within the window that had the clock event.' },
  {
    field: 'DCGM_EXP_CLOCK_EVENTS_TOTAL',
    type: 'counter',
    help: 'How often the clock event began since the exporter was started.',
  },
];

/** The text of counters/default-counters.csv. */
export function countersTemplate(): string {
  const sections = [
    ...topics.map(({ title, metrics }) => section(title, metrics.flatMap(metricRow))),
    section(
      'Counted by the exporter',
      expressions.map(({ field, type, help }) => row([field, type, help], false)),
    ),
    section(
      'Labels on every series',
      labelFields.map(({ field, help, isDefault }) => row([field, 'label', help], isDefault)),
    ),
  ];
  return [intro, ...sections].join('\n');
}

function section(title: string, rows: readonly string[]): string {
  return `# ${title}\n${rows.join('')}`;
}

function metricRow({ dcgm }: Metric): readonly string[] {
  return dcgm === undefined ? [] : [row([dcgm.field, dcgm.type, dcgm.help], dcgm.isDefault)];
}

function row([field, type, help]: readonly [string, string, string], isActive: boolean): string {
  return `${isActive ? '' : '# '}${field}, ${type},${/[",]/.test(help) ? `"${help.replaceAll('"', '""')}"` : ` ${help}`}\n`;
}
