/** Alerts as Alertmanager's API v2 takes them: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
import type { LabelSet } from '../core/alert.ts';
import type { OutgoingAlert } from './outgoing.ts';

export interface PostableAlert {
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  /** RFC 3339, with milliseconds. */
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
}

export function encodeAlert({ labels, annotations, startsAt, endsAt, evidenceUrl }: OutgoingAlert): PostableAlert {
  return {
    labels,
    annotations,
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    generatorURL: evidenceUrl,
  };
}
