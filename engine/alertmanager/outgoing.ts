/** Alerts as they leave: external labels added, relabelled, and named as Alertmanager names them. */
import type { LabelSet } from '../core/alert.ts';
import type { AlertMessage } from '../core/delivery.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import { type RelabelRule, relabel } from './relabel.ts';

/** One alert as an Alertmanager gets it. It is over when `endsAt` has passed. */
export interface OutgoingAlert {
  /** Alertmanager's name for it, by the labels as they are sent; newer alerts replace older ones of the same name. */
  readonly fingerprint: string;
  /** Key of the alert it was made from. */
  readonly source: string;
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  readonly startsAt: number;
  readonly endsAt: number;
  /** Opens what is known of the alert on the engine. */
  readonly evidenceUrl: string;
}

export interface Relabelled {
  readonly messages: readonly AlertMessage[];
  /** How many the rules dropped. */
  readonly dropped: number;
  /** How many had no label left, which no Alertmanager takes. */
  readonly unlabelled: number;
}

/** Messages after the rules, `added` labels laid under their own first. */
export function relabelMessages(
  messages: readonly AlertMessage[],
  rules: readonly RelabelRule[],
  added: LabelSet = {},
): Relabelled {
  if (rules.length === 0 && Object.keys(added).length === 0) return { messages, dropped: 0, unlabelled: 0 };
  const results = messages.map((message) => ({ message, labels: relabel(message.labels, rules, added) }));
  const kept = results.flatMap(({ message, labels }) => {
    return labels === undefined || isEmpty(labels) ? [] : [{ ...message, labels }];
  });
  const dropped = results.filter(({ labels }) => labels === undefined).length;
  return { messages: kept, dropped, unlabelled: results.length - kept.length - dropped };
}

/** `externalUrl` is the engine as a person's browser reaches it. */
export function outgoingOf(message: AlertMessage, externalUrl: string): OutgoingAlert {
  const { key: source, labels, annotations, startsAt, endsAt } = message;
  const evidenceUrl = `${externalUrl.replace(/\/+$/, '')}/alerts/${message.fingerprint}`;
  return { fingerprint: fingerprintOf(labels), source, labels, annotations, startsAt, endsAt, evidenceUrl };
}

function isEmpty(labels: LabelSet): boolean {
  return Object.keys(labels).length === 0;
}
