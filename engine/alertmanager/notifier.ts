/** Every alert to every Alertmanager: they deduplicate among themselves, and one that is down holds up no other. */
import type { AlertMessage, AlertSink } from '../core/delivery.ts';
import { ActiveAlerts } from './active-alerts.ts';
import { type Alerting, type AlertmanagerGroup, NO_ALERTING } from './alerting.ts';
import { relabelMessages } from './outgoing.ts';
import type { PeerStats } from './peer.ts';
import {
  type DiscoveryStats,
  type PeerAddress,
  PeerGroup,
  type PeerGroupOptions,
  type PeerGroupPorts,
} from './peer-group.ts';

export interface NotifierOptions {
  /** The engine as a person's browser reaches it. */
  readonly externalUrl: string;
  /** Time between two checks of what an Alertmanager holds. */
  readonly checkEveryMs?: number;
  /** How long a peer that has left may still take what waits for it. */
  readonly drainMs?: number;
}

export interface NotifierStats {
  readonly peers: readonly PeerStats[];
  /** One for each group of Alertmanagers, in the order of the configuration. */
  readonly discovery: readonly DiscoveryStats[];
  /** Alerts that relabelling dropped, or left without labels. */
  readonly relabelledAway: number;
}

const DEFAULTS = { checkEveryMs: 60_000, drainMs: 10_000 };

export class Notifier implements AlertSink {
  readonly #options: PeerGroupOptions;
  readonly #ports: PeerGroupPorts;
  readonly #active = new ActiveAlerts();
  readonly #leaving = new Set<PeerGroup>();
  #alerting = NO_ALERTING;
  #groups: readonly PeerGroup[] = [];
  #relabelledAway = 0;

  constructor(options: NotifierOptions, ports: PeerGroupPorts) {
    const active = () => this.#relabel(this.#active.at(ports.now())).messages;
    this.#options = { ...DEFAULTS, ...options, active };
    this.#ports = ports;
  }

  /** Sends to these Alertmanagers from now on. Groups that stay the same keep their peers, and what waits for them. */
  use(alerting: Alerting): void {
    this.#alerting = alerting;
    const unused = [...this.#groups];
    this.#groups = alerting.groups.map((group) => {
      const same = unused.findIndex(({ group: { identity } }) => identity === group.identity);
      return (same < 0 ? undefined : unused.splice(same, 1)[0]) ?? this.#startGroup(group);
    });
    for (const group of unused) this.#retire(group);
  }

  send(messages: readonly AlertMessage[]): void {
    this.#active.update(messages, this.#ports.now());
    const relabelled = this.#relabel(messages);
    this.#relabelledAway += relabelled.dropped + relabelled.unlabelled;
    for (const group of this.#groups) group.send(relabelled.messages);
  }

  /** Every Alertmanager known now, for whoever else wants to ask them something. */
  addresses(): readonly PeerAddress[] {
    return this.#groups.flatMap((group) => group.addresses());
  }

  stats(): NotifierStats {
    const ofGroups = this.#groups.reduce((sum, { dropped }) => sum + dropped, 0);
    return {
      peers: this.#groups.flatMap((group) => group.peers()),
      discovery: this.#groups.map((group) => group.discovery()),
      relabelledAway: this.#relabelledAway + ofGroups,
    };
  }

  /** Drains all queues at once, for at most `deadlineMs`, those of groups that are leaving included. */
  async close(deadlineMs: number): Promise<void> {
    await Promise.all([...this.#leaving, ...this.#groups].map((group) => group.close(deadlineMs)));
  }

  #relabel(messages: readonly AlertMessage[]) {
    return relabelMessages(messages, this.#alerting.alertRules, this.#alerting.externalLabels);
  }

  #startGroup(settings: AlertmanagerGroup): PeerGroup {
    const group = new PeerGroup(settings, this.#options, this.#ports);
    group.start();
    return group;
  }

  #retire(group: PeerGroup): void {
    this.#relabelledAway += group.dropped;
    this.#leaving.add(group);
    void group.close(this.#options.drainMs).finally(() => this.#leaving.delete(group));
  }
}
