/** From what discovery found to the URL that alerts are posted to. */
import { posix } from 'node:path';
import type { LabelSet } from '../../core/alert.ts';
import { type RelabelRule, relabel } from '../relabel.ts';

export interface AddressRules {
  readonly scheme: string;
  readonly pathPrefix: string;
  readonly targetRules: readonly RelabelRule[];
}

export type Address =
  | { readonly kind: 'url'; readonly url: string }
  /** The target rules drop it. */
  | { readonly kind: 'dropped' }
  | { readonly kind: 'bad'; readonly problem: string };

const ALERTS_PATH = '/api/v2/alerts';

/** The URL of a target, by its labels `__scheme__`, `__address__` and `__alerts_path__` after the target rules. */
export function addressOf(target: LabelSet, rules: AddressRules): Address {
  const path = posix.join('/', rules.pathPrefix, ALERTS_PATH);
  const labels = relabel({ __scheme__: rules.scheme, __alerts_path__: path, ...target }, rules.targetRules);
  if (labels === undefined) return { kind: 'dropped' };
  const { __scheme__: scheme = '', __address__: host = '', __alerts_path__: alertsPath = '' } = labels;
  // The address is the peer's name in logs and metrics.
  if (host.includes('@')) return { kind: 'bad', problem: 'a target holds a password, which belongs into "basic_auth"' };
  const text = `${scheme}://${host}${posix.join('/', alertsPath)}`;
  const isUrl = /^https?$/.test(scheme) && host !== '' && !host.includes('/') && URL.canParse(text);
  if (isUrl) return { kind: 'url', url: text };
  return { kind: 'bad', problem: `the target "${host}" is no address of an Alertmanager (it would be ${text})` };
}

/** How the Alertmanager is called: its base URL, or all of it when its path is an unusual one. */
export function nameOf(alertsUrl: string): string {
  return alertsUrl.endsWith(ALERTS_PATH) ? alertsUrl.slice(0, -ALERTS_PATH.length) : alertsUrl;
}
