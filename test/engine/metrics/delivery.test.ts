import { describe, expect, it } from 'vitest';
import type { PeerStats } from '../../../engine/alertmanager/peer.ts';
import { renderDelivery } from '../../../engine/metrics/delivery.ts';

const peer: PeerStats = {
  url: 'http://am:9093',
  queueLength: 3,
  sent: 120,
  failed: 2,
  dropped: 1,
  lastError: undefined,
  posts: 9,
  postMs: 450,
  missing: 4,
  checkedAt: 1_767_268_800_000,
};

const discovery = { peers: 2, failures: 5, problem: undefined };

describe('renderDelivery', () => {
  it('renders peers, discovery and relabelling', async () => {
    const fresh = { ...peer, url: 'https://am-1/alerts', checkedAt: undefined };
    const text = renderDelivery({ peers: [peer, fresh], discovery: [discovery, discovery], relabelledAway: 7 });
    await expect(text).toMatchFileSnapshot('golden/delivery.prom');
  });

  it('renders an Alertmanager that two groups have found once', () => {
    const text = renderDelivery({
      peers: [peer, { ...peer, sent: 1, checkedAt: 1_767_268_700_000 }],
      discovery: [],
      relabelledAway: 0,
    });
    expect(text).toContain('gpu_uptime_notifications_sent_total{alertmanager="http://am:9093"} 121\n');
    expect(text).toContain('checked_timestamp_seconds{alertmanager="http://am:9093"} 1767268700\n');
    expect(text.match(/sent_total\{/g)).toHaveLength(1);
  });
});
