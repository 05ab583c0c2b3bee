import { describe, expect, it } from 'vitest';
import { DashboardAnswer } from '../../../../engine/cli/engine-answers.ts';
import { COLOURED, UNCOLOURED } from '../../../../engine/cli/paint.ts';
import { dashboardLines, type Room, type Watched } from '../../../../engine/cli/ping-system/dashboard-view.ts';
import { columnsOf } from '../../../../engine/cli/plain-text.ts';
import { agentEntry, dashboardAnswer, HOSTILE, NOW, poorEntry } from '../fake-engine.ts';

const base = 'http://127.0.0.1:8000';
const lost = agentEntry('an-agent-with-a-longer-name', {
  status: 'unreachable',
  ping: {
    reason: 'unreachable since 09:00:00Z, asked 4 times: connection refused',
    consecutive_poor: 7,
    interval_seconds: 86_400,
    next_ping_at: NOW + 50_000,
    recovery: { pings: 3, at: NOW + 52_000 },
  },
});
const divergent = {
  agent_id: 'agent-002',
  node: 'agent-002.example:8001',
  from: NOW - 900,
  to: NOW,
  claimed: { uptime_percentage: 99.9, coverage_percentage: 100 },
  observed: { uptime_percentage: 82.5, coverage_percentage: 97 },
  divergence_percentage_points: 17.4,
};
const busy = {
  worst: [lost, poorEntry('agent-002')],
  divergent: [divergent, { ...divergent, agent_id: 'agent-009', claimed: null, divergence_percentage_points: null }],
};
const work = { inFlight: 12, pinged: 340, busy: 2, failed: 1, trouble: undefined };
const trouble = 'No engine answers at http://127.0.0.1:8000 (connect ECONNREFUSED 127.0.0.1:8000); start one.';

function watched(answer: object, more: Partial<Watched> = {}): Watched {
  const dashboard = DashboardAnswer.parse(answer);
  return { base, dashboard, ageSeconds: 0, trouble: undefined, work: undefined, ...more };
}

const ROOMS = {
  piped: { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, paint: UNCOLOURED },
  narrow: { columns: 60, rows: 40, paint: UNCOLOURED },
  standard: { columns: 80, rows: 24, paint: UNCOLOURED },
  coloured: { columns: 100, rows: 24, paint: COLOURED },
} satisfies Record<string, Room>;

describe('dashboardLines', () => {
  it.each([
    ['calm', 'piped', watched(dashboardAnswer())],
    ['busy', 'piped', watched(dashboardAnswer(busy))],
    [
      'busy',
      'narrow',
      watched(dashboardAnswer({ ...busy, suspect: true, suspect_since: NOW - 90 }), { ageSeconds: 45, trouble }),
    ],
    ['busy', 'standard', watched(dashboardAnswer(busy))],
    ['busy', 'coloured', watched(dashboardAnswer({ ...busy, suspect: true, suspect_since: NOW - 90 }), { work })],
    [
      'empty',
      'piped',
      watched(
        dashboardAnswer({
          agents: { total: 0, by_status: {}, due: 0, in_flight: 0, escalated: 0, never_pinged: 0 },
          lag_seconds: null,
          worst_lag_seconds: null,
          pings_24h: { total: 0, by_outcome: {}, mean_round_trip_seconds: null },
          next_due_at: null,
        }),
      ),
    ],
    ['working', 'piped', watched(dashboardAnswer(), { work: { ...work, trouble: 'The engine answered HTTP 500.' } })],
  ] as const)('shows a %s engine (%s)', async (name, room, facts) => {
    const lines = dashboardLines(facts, ROOMS[room]);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`../golden/ping-system-${name}-${room}.txt`);
  });

  it.each([10, 24, 39, 40, 60, 80, 132])('fits %d columns and any number of rows', (columns) => {
    const wide = agentEntry('漢字'.repeat(30), { ping: { reason: '👩‍💻 失敗'.repeat(20), consecutive_poor: 1 } });
    const facts = watched(dashboardAnswer({ worst: [wide, lost], divergent: [divergent] }), { trouble });
    for (const rows of [1, 2, 5, 24, 100]) {
      const lines = dashboardLines(facts, { columns, rows, paint: UNCOLOURED });
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(columns);
    }
  });

  it('says how much a short window leaves out', () => {
    const lines = dashboardLines(watched(dashboardAnswer(busy)), { columns: 80, rows: 8, paint: UNCOLOURED });
    expect([lines.length, lines.at(-1)]).toEqual([8, '… 10 more lines']);
  });

  it('lets no control character of an agent through', () => {
    const evil = agentEntry('a', { agent_id: HOSTILE, status: HOSTILE, ping: { reason: HOSTILE } });
    const by_status = { [HOSTILE]: 3 };
    const answer = dashboardAnswer({
      worst: [evil],
      divergent: [{ ...divergent, node: HOSTILE }],
      agents: { by_status },
    });
    const lines = dashboardLines(watched(answer), ROOMS.piped);
    expect(lines.join('')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(lines.join('').match(/evil/g)).toHaveLength(5);
  });

  it('goes on with the time of the engine', () => {
    const lines = dashboardLines(watched(dashboardAnswer(), { ageSeconds: 15 }), ROOMS.piped);
    expect([lines[0], lines[3]]).toEqual([
      'Agents of http://127.0.0.1:8000 at 2026-01-05 12:00:15Z',
      '4 due, 2 in flight, 6 escalated; next ping now; lag 204ms, at worst 1.3s within a minute',
    ]);
  });
});
