/** Alertmanager's webhook notification (format version 4), and one line per alert for a person at a terminal. */
import { z } from 'zod';
import { showLabels } from '../core/alert.ts';

const labelSet = z.record(z.string(), z.string());

/** https://prometheus.io/docs/alerting/latest/configuration/#webhook_config; keys that are not used are ignored. */
export const notification = z.object({
  version: z.literal('4'),
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels: labelSet,
      annotations: labelSet,
      startsAt: z.iso.datetime({ offset: true }),
      endsAt: z.iso.datetime({ offset: true }),
    }),
  ),
});

export type Notification = z.infer<typeof notification>;
export type NotifiedAlert = Notification['alerts'][number];

/**
 * `FIRING critical GpuThermalCritical gpu 3 on gpu-node-0: 92 °C > 85 °C since 12:03:05`; the end of a resolved alert
 * follows as `until 12:09:40`. What it is about is the annotation `summary`, or all labels when there is none.
 */
export function notificationLine(alert: NotifiedAlert, timeOfDay: (at: Date) => string = localTimeOfDay): string {
  const { status, labels, annotations } = alert;
  const words = [
    status.toUpperCase(),
    labels.severity,
    labels.alertname,
    annotations.summary || describeLabels(labels),
  ];
  words.push(`since ${timeOfDay(new Date(alert.startsAt))}`);
  if (status === 'resolved') words.push(`until ${timeOfDay(new Date(alert.endsAt))}`);
  return printable(words.filter(Boolean).join(' '));
}

function describeLabels(labels: NotifiedAlert['labels']): string {
  const rest = Object.entries(labels).filter(([name]) => name !== 'alertname' && name !== 'severity');
  return showLabels(Object.fromEntries(rest));
}

function localTimeOfDay(at: Date): string {
  return at.toTimeString().slice(0, 8);
}

/** Labels come from the network: a control character in one could rewrite the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
