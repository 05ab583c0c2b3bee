/** Every alert to every Alertmanager: they deduplicate among themselves, and one that is down holds up no other. */
import type { AlertMessage, AlertSink } from '../core/delivery.ts';
import type { AlertmanagerPeer, PeerStats } from './peer.ts';

export class Notifier implements AlertSink {
  readonly #peers: readonly AlertmanagerPeer[];

  constructor(peers: readonly AlertmanagerPeer[]) {
    this.#peers = peers;
  }

  send(messages: readonly AlertMessage[]): void {
    for (const peer of this.#peers) peer.send(messages);
  }

  stats(): readonly PeerStats[] {
    return this.#peers.map((peer) => peer.stats());
  }

  /** Drains all queues at once, for at most `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close(deadlineMs)));
  }
}
