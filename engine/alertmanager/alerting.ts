/** Where alerts go and what becomes of their labels on the way: the alerting part of a Prometheus configuration, as data. */
import type { LabelSet } from '../core/alert.ts';
import { type HttpClientSettings, PLAIN_HTTP } from '../http-client/settings.ts';
import type { RelabelRule } from './relabel.ts';

export type SourceSettings =
  | { readonly kind: 'static'; readonly targets: readonly LabelSet[] }
  | {
      readonly kind: 'dns';
      readonly names: readonly string[];
      readonly type: 'A' | 'AAAA' | 'SRV';
      /** Of every address; an SRV record brings its own. */
      readonly port: number;
      readonly refreshMs: number;
    }
  /** Absolute paths; the last part may be a glob. */
  | { readonly kind: 'file'; readonly patterns: readonly string[]; readonly refreshMs: number };

/** Alertmanagers that are found and reached the same way; each of them gets every alert. */
export interface AlertmanagerGroup {
  /** Equal in two configurations when everything about the group is. */
  readonly identity: string;
  readonly scheme: 'http' | 'https';
  readonly pathPrefix: string;
  /** Limit of one request. */
  readonly timeoutMs: number;
  readonly http: HttpClientSettings;
  readonly sources: readonly SourceSettings[];
  /** Rewrite and choose among what the sources find. */
  readonly targetRules: readonly RelabelRule[];
  /** Rewrite and choose alerts, after the rules for all groups. */
  readonly alertRules: readonly RelabelRule[];
}

export interface Alerting {
  /** Added to every alert that does not have them. */
  readonly externalLabels: LabelSet;
  readonly alertRules: readonly RelabelRule[];
  readonly groups: readonly AlertmanagerGroup[];
}

export const NO_ALERTING: Alerting = { externalLabels: {}, alertRules: [], groups: [] };

export const DEFAULT_TIMEOUT_MS = 10_000;

/** `alerting` with one more Alertmanager for each base URL (http or https, a path prefix is allowed). */
export function withUrls(alerting: Alerting, urls: readonly string[]): Alerting {
  return { ...alerting, groups: [...urls.map(groupOfUrl), ...alerting.groups] };
}

function groupOfUrl(text: string): AlertmanagerGroup {
  const url = new URL(text);
  return {
    identity: text,
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    pathPrefix: url.pathname,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    http: PLAIN_HTTP,
    sources: [{ kind: 'static', targets: [{ __address__: url.host }] }],
    targetRules: [],
    alertRules: [],
  };
}
