/** Alertmanagers that are found the same way: a peer for each of them, while it is there. */
import { Resolver } from 'node:dns/promises';
import type { AlertMessage } from '../core/delivery.ts';
import { type HttpClient, openHttpClient } from '../http-client/client.ts';
import type { AlertmanagerGroup, SourceSettings } from './alerting.ts';
import { addressOf, nameOf } from './discovery/address.ts';
import { type DnsResolver, dnsSource } from './discovery/dns.ts';
import { fileSource } from './discovery/file.ts';
import type { Found, TargetSource } from './discovery/source.ts';
import { type OutgoingAlert, outgoingOf, relabelMessages } from './outgoing.ts';
import { AlertmanagerPeer, type PeerPorts, type PeerStats } from './peer.ts';

export interface PeerGroupPorts extends PeerPorts {
  /** Who answers names; the system's servers by default. */
  readonly resolver?: DnsResolver;
}

export interface PeerGroupOptions {
  /** The engine as a person's browser reaches it. */
  readonly externalUrl: string;
  /** Time between two checks of what an Alertmanager holds. */
  readonly checkEveryMs: number;
  /** How long a peer that has left may still take what waits for it. */
  readonly drainMs: number;
  /** Firing alerts, before the group's own rules. */
  active(): readonly AlertMessage[];
}

export interface PeerAddress {
  readonly url: string;
  readonly client: HttpClient;
}

export interface DiscoveryStats {
  /** Alertmanagers known now. */
  readonly peers: number;
  /** Looks that did not get every answer; the last good ones stay in use. */
  readonly failures: number;
  /** What went wrong at the last look; undefined when nothing did. */
  readonly problem: string | undefined;
}

const DNS_TIMEOUT_MS = 5000;

export class PeerGroup {
  readonly group: AlertmanagerGroup;
  readonly #options: PeerGroupOptions;
  readonly #ports: PeerGroupPorts;
  readonly #client: HttpClient;
  readonly #end = new AbortController();
  readonly #peers = new Map<string, AlertmanagerPeer>();
  readonly #leaving = new Set<AlertmanagerPeer>();
  readonly #found = new Map<SourceSettings, Found>();
  #loops: Promise<unknown> = Promise.resolve();
  #failures = 0;
  #problem: string | undefined;
  /** Alerts that the group's own rules dropped, or left without labels. */
  dropped = 0;

  constructor(group: AlertmanagerGroup, options: PeerGroupOptions, ports: PeerGroupPorts) {
    this.group = group;
    this.#options = options;
    this.#ports = ports;
    this.#client = openHttpClient(group.http, { connectTimeoutMs: group.timeoutMs });
  }

  /** Peers that need no looking for are there at once; the others as soon as they are found. */
  start(): void {
    for (const source of this.group.sources) {
      if (source.kind === 'static') this.#found.set(source, { targets: source.targets, problems: [] });
    }
    this.#reconcile();
    this.#loops = Promise.all(this.group.sources.map((source) => this.#follow(source)));
  }

  send(messages: readonly AlertMessage[]): void {
    const relabelled = relabelMessages(messages, this.group.alertRules);
    this.dropped += relabelled.dropped + relabelled.unlabelled;
    const alerts = this.#outgoing(relabelled.messages);
    for (const peer of this.#peers.values()) peer.send(alerts);
  }

  peers(): readonly PeerStats[] {
    return [...this.#peers.values()].map((peer) => peer.stats());
  }

  /** Base URL of every Alertmanager known now, and how it is reached. */
  addresses(): readonly PeerAddress[] {
    return [...this.#peers.keys()].map((url) => ({ url: nameOf(url), client: this.#client }));
  }

  discovery(): DiscoveryStats {
    return { peers: this.#peers.size, failures: this.#failures, problem: this.#problem };
  }

  /** Drains all queues at once, for at most `deadlineMs`. A second call may set an earlier deadline. */
  async close(deadlineMs: number): Promise<void> {
    const begun = performance.now();
    this.#end.abort();
    const closing = [...this.#leaving, ...this.#peers.values()].map((peer) => peer.close(deadlineMs));
    await Promise.all([this.#loops, ...closing]);
    // Only questions of others may be under way now; they get what is left of the time.
    await this.#client.close(Math.max(0, deadlineMs - (performance.now() - begun)));
  }

  /** Looks again and again, until the group closes. */
  async #follow(settings: SourceSettings): Promise<void> {
    const source = this.#open(settings);
    const { signal } = this.#end;
    while (source !== undefined && !signal.aborted) {
      const found = await source.find(signal);
      if (signal.aborted) return;
      this.#found.set(settings, found);
      this.#reconcile();
      await this.#ports.sleep(source.refreshMs, signal);
    }
  }

  /** Undefined where nothing can change. */
  #open(settings: SourceSettings): TargetSource | undefined {
    switch (settings.kind) {
      case 'static':
        return undefined;
      case 'dns':
        return dnsSource(settings, this.#ports.resolver ?? new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 }));
      case 'file':
        return fileSource(settings);
    }
  }

  /** Makes the peers those that the sources name now. */
  #reconcile(): void {
    const addresses = this.#targets().map((target) => addressOf(target, this.group));
    const urls = new Set(addresses.flatMap((address) => (address.kind === 'url' ? address.url : [])));
    const bad = addresses.flatMap((address) => (address.kind === 'bad' ? address.problem : []));
    this.#report([...[...this.#found.values()].flatMap(({ problems }) => problems), ...bad]);
    for (const [url, peer] of this.#peers) if (!urls.has(url)) this.#remove(url, peer);
    for (const url of urls) if (!this.#peers.has(url)) this.#add(url);
  }

  #targets(): Found['targets'] {
    return [...this.#found.values()].flatMap(({ targets }) => targets);
  }

  #report(problems: readonly string[]): void {
    const problem = problems.length === 0 ? undefined : problems.join('; ');
    if (problem !== undefined) this.#failures++;
    if (problem !== undefined && problem !== this.#problem) {
      this.#ports.onProblem(`not all Alertmanagers can be found: ${problem}; those known before stay in use`);
    }
    this.#problem = problem;
  }

  #add(url: string): void {
    const { checkEveryMs } = this.#options;
    const { timeoutMs } = this.group;
    const active = () => this.#active();
    const peer = new AlertmanagerPeer({ url, client: this.#client, timeoutMs, checkEveryMs, active }, this.#ports);
    this.#peers.set(url, peer);
    peer.send(this.#active());
    peer.startChecks();
  }

  #remove(url: string, peer: AlertmanagerPeer): void {
    this.#peers.delete(url);
    this.#leaving.add(peer);
    void peer.close(this.#options.drainMs).finally(() => this.#leaving.delete(peer));
  }

  /** One per fingerprint, the newest: rules may have made several alerts the same. */
  #active(): readonly OutgoingAlert[] {
    const { messages } = relabelMessages(this.#options.active(), this.group.alertRules);
    return [...new Map(this.#outgoing(messages).map((alert) => [alert.fingerprint, alert])).values()];
  }

  #outgoing(messages: readonly AlertMessage[]): readonly OutgoingAlert[] {
    return messages.map((message) => outgoingOf(message, this.#options.externalUrl));
  }
}
