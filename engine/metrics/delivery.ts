/** Series about the delivery of alerts to Alertmanagers. */
import type { NotifierStats } from '../alertmanager/notifier.ts';
import type { PeerStats } from '../alertmanager/peer.ts';
import { type Family, type Line, renderFamily } from './exposition.ts';

interface PeerFamily extends Family {
  readonly get: (peer: PeerStats) => number | undefined;
  /** Of one Alertmanager that two groups have found; the sum unless told. */
  readonly join?: (one: number, other: number) => number;
}

const PEER_FAMILIES: readonly PeerFamily[] = [
  {
    name: 'gpu_uptime_notifications_queued',
    type: 'gauge',
    help: 'Alerts waiting for an Alertmanager.',
    get: (peer) => peer.queueLength,
  },
  {
    name: 'gpu_uptime_notifications_sent_total',
    type: 'counter',
    help: 'Alerts an Alertmanager has accepted.',
    get: (peer) => peer.sent,
  },
  {
    name: 'gpu_uptime_notifications_failed_total',
    type: 'counter',
    help: 'Posts to an Alertmanager that failed.',
    get: (peer) => peer.failed,
  },
  {
    name: 'gpu_uptime_notifications_dropped_total',
    type: 'counter',
    help: 'Alerts an Alertmanager refused, or that were over before it could be reached.',
    get: (peer) => peer.dropped,
  },
  {
    name: 'gpu_uptime_notifications_missing_total',
    type: 'counter',
    help: 'Alerts an Alertmanager had accepted and did not hold when asked.',
    get: (peer) => peer.missing,
  },
  {
    name: 'gpu_uptime_notifications_checked_timestamp_seconds',
    type: 'gauge',
    help: 'When an Alertmanager last said which alerts it holds.',
    get: ({ checkedAt }) => (checkedAt === undefined ? undefined : checkedAt / 1000),
    join: Math.min,
  },
  {
    name: 'gpu_uptime_notification_posts_total',
    type: 'counter',
    help: 'Posts to an Alertmanager.',
    get: (peer) => peer.posts,
  },
  {
    name: 'gpu_uptime_notification_posts_seconds_total',
    type: 'counter',
    help: 'Time that posts to an Alertmanager took, together.',
    get: (peer) => peer.postMs / 1000,
  },
];

/** Peers, discovery and relabelling of the notifier. */
export function renderDelivery({ peers, discovery, relabelledAway }: NotifierStats): string {
  const failures = discovery.reduce((sum, group) => sum + group.failures, 0);
  return [
    ...PEER_FAMILIES.map((family) => renderFamily(family, linesOf(family, peers))),
    single('gpu_uptime_alertmanagers', 'gauge', 'Alertmanagers that get every alert.', peers.length),
    single(
      'gpu_uptime_alertmanager_discovery_failures_total',
      'counter',
      'Looks for Alertmanagers that did not get every answer.',
      failures,
    ),
    single(
      'gpu_uptime_alerts_relabelled_away_total',
      'counter',
      'Alerts that relabelling dropped, or left without labels.',
      relabelledAway,
    ),
  ].join('');
}

function single(name: string, type: Family['type'], help: string, value: number): string {
  return renderFamily({ name, type, help }, [['', value]]);
}

/** A series must not appear twice. */
function linesOf({ get, join = sum }: PeerFamily, peers: readonly PeerStats[]): Line[] {
  const byUrl = new Map<string, number>();
  for (const peer of peers) {
    const [value, before] = [get(peer), byUrl.get(peer.url)];
    if (value !== undefined) byUrl.set(peer.url, before === undefined ? value : join(before, value));
  }
  return [...byUrl].map(([alertmanager, value]) => [{ alertmanager }, value]);
}

function sum(one: number, other: number): number {
  return one + other;
}
