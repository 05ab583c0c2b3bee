/** Alerts as Alertmanager's API v2 takes them: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
import type { LabelSet } from '../core/alert.ts';
import type { AlertMessage } from '../core/delivery.ts';

export interface PostableAlert {
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  /** RFC 3339, with milliseconds. */
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
}

/** Encodes a message. `prometheusUrl` is Prometheus as a person's browser reaches it: the alert links to its expression. */
export function encodeAlert(message: AlertMessage, prometheusUrl: string): PostableAlert {
  const { labels, annotations, startsAt, endsAt, expr } = message;
  return {
    labels,
    annotations,
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    generatorURL: `${prometheusUrl.replace(/\/+$/, '')}/graph?g0.expr=${encodeURIComponent(expr)}&g0.tab=1`,
  };
}
