import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type PingSource, renderPings } from '../../../engine/metrics/pings.ts';
import type { RegisteredAgent } from '../../../engine/ping/agent-index.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { claim, HOUR, NOON_MS, pingPolicy, UP } from '../core/ping/fixtures.ts';
import { AGENTS, pinged, pingStats } from '../ping/shown-agents.ts';
import { anAgent, aState } from '../store/ping-fixtures.ts';

const GOLDEN = join(import.meta.dirname, 'golden/pings.prom');

function source(agents: readonly RegisteredAgent[], stats = pingStats()): PingSource {
  return { policy: () => pingPolicy(), stats: () => stats, registry: { all: () => agents } };
}

const SEEN = { reply: UP, observed: { ...claim(1), watched: 1 } };
/** Prometheus knew its GPUs, and knows them no longer. */
const UNSEEN = pinged('agent-unseen', [UP, SEEN, { reply: UP, observed: { ...claim(undefined), watched: 1 } }]);

describe('renderPings', () => {
  it('tells whom Prometheus knows no longer, where it is asked', () => {
    const lines = (agents: readonly RegisteredAgent[], policy = pingPolicy()) =>
      [...renderPings({ ...source(agents), policy: () => policy }, NOON_MS)]
        .join('')
        .split('\n')
        .filter((line) => line.startsWith('gpu_uptime_ping_unseen{'))
        .map((line) => line.replace(/^.*agent_id="([^"]*)".*} /, '$1 '));
    const agents = [UNSEEN, pinged('agent-seen', [UP, SEEN]), pinged('agent-never-seen', [UP, UP])];
    expect(lines(agents)).toEqual(['agent-unseen 1', 'agent-seen 0']);
    expect(lines(agents, pingPolicy({ evidence: 'agent' }))).toEqual([]);
  });

  it('equals the golden page: agents that are good, lie, fail, lack a GPU, are escalated, unseen, and new', async () => {
    const text = [...renderPings(source([...AGENTS, UNSEEN]), NOON_MS + 30 * HOUR)].join('');
    await expect(text).toMatchFileSnapshot(GOLDEN);
  });

  it('gives promtool nothing to complain about', async (context) => {
    const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input: readFileSync(GOLDEN),
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  it('names no agent before one is registered, and counts from zero on', () => {
    const stats = pingStats({ lagMs: undefined, worstLagMs: undefined });
    const text = [...renderPings(source([], stats), NOON_MS)].join('');
    expect(text).not.toContain('agent_id=');
    expect(text).not.toContain('worst_lag_seconds');
    expect(text).toContain('gpu_uptime_ping_agents{status="good"} 0\n');
    expect(text).toContain('gpu_uptime_ping_overdue_seconds 0\n');
    expect(text).toContain('gpu_uptime_ping_decided_total{outcome="unobserved"} 0\n');
  });

  it('renders a fleet in pieces that make room, with at most nine series per agent', () => {
    const agents = Array.from({ length: 1200 }, (_, n) => ({ agent: anAgent(`agent-${n}`), state: aState(NOON_MS) }));
    const pieces = [...renderPings(source(agents), NOON_MS)];
    const lines = pieces.join('').split('\n');
    expect(new Set(lines.filter((line) => line.startsWith('gpu_uptime_ping_interval_seconds{'))).size).toBe(1200);
    expect(lines.filter((line) => line.includes('agent_id=')).length).toBeLessThanOrEqual(9 * 1200);
    expect(Math.max(...pieces.map((piece) => piece.split('\n').length))).toBeLessThanOrEqual(500 + 3);
    expect(pieces.slice(0, 2)).toEqual(['', '']);
  });
});
