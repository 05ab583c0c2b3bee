import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type PingSource, renderPings } from '../../../engine/metrics/pings.ts';
import type { RegisteredAgent } from '../../../engine/ping/agent-index.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { HOUR, NOON_MS, pingPolicy } from '../core/ping/fixtures.ts';
import { AGENTS, pingStats } from '../ping/shown-agents.ts';
import { anAgent, aState } from '../store/ping-fixtures.ts';

const GOLDEN = join(import.meta.dirname, 'golden/pings.prom');

function source(agents: readonly RegisteredAgent[], stats = pingStats()): PingSource {
  return { policy: () => pingPolicy(), stats: () => stats, registry: { all: () => agents } };
}

describe('renderPings', () => {
  it('equals the golden page: agents that are good, lie, fail, lack a GPU, are escalated, and new', async () => {
    const text = [...renderPings(source(AGENTS), NOON_MS + 30 * HOUR)].join('');
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

  it('renders a fleet in pieces that make room, with at most eight series per agent', () => {
    const agents = Array.from({ length: 1200 }, (_, n) => ({ agent: anAgent(`agent-${n}`), state: aState(NOON_MS) }));
    const pieces = [...renderPings(source(agents), NOON_MS)];
    const lines = pieces.join('').split('\n');
    expect(new Set(lines.filter((line) => line.startsWith('gpu_uptime_ping_interval_seconds{'))).size).toBe(1200);
    expect(lines.filter((line) => line.includes('agent_id=')).length).toBeLessThanOrEqual(8 * 1200);
    expect(Math.max(...pieces.map((piece) => piece.split('\n').length))).toBeLessThanOrEqual(500 + 3);
    expect(pieces.slice(0, 2)).toEqual(['', '']);
  });
});
