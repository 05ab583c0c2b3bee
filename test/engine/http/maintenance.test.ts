import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { createFleet, type Judged, stepFleet } from '../../../engine/core/fleet.ts';
import { planMaintenance } from '../../../engine/core/maintenance.ts';
import type { MaintenanceView } from '../../../engine/core/maintenance-report.ts';
import { maintenanceRoutes } from '../../../engine/http/maintenance.ts';
import { observe, planOf, play, START_MS, times } from '../core/fixtures.ts';
import { atTick, maintenancePolicy, matcher, silence, span, TICK_MS } from '../core/silences.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function ask(judged: Judged, view: MaintenanceView): Promise<unknown> {
  const now = () => (judged.state.tickMs ?? 0) + 3000;
  const app = express().use(maintenanceRoutes({ now, judged: () => judged, maintenance: () => view }));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  endings.push(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  return (await fetch(`http://127.0.0.1:${port}/api/v1/maintenance`)).json();
}

describe('GET /api/v1/maintenance', () => {
  it('lists every span, what it excludes, and what is left of the budget', async () => {
    const plan = planOf({ maintenance: maintenancePolicy({ budgetMs: 8 * TICK_MS, gate: 'deny' }) });
    const spans = [
      span(30, 40, { id: 's3.0', silence: 's3', matchers: [matcher('instance=~b|c')], comment: 'maintenance: racks' }),
      span(2, 5, { id: 's0.0', silence: 's0' }),
      span(20, 30),
    ];
    const calendar = planMaintenance(plan.policy, spans);
    const state = createFleet();
    for (let tick = 0; tick < 23; tick++) {
      const shown = observe(plan, START_MS + tick * TICK_MS, {
        isWatched: true,
        gpus: { 'a/0': 'up', 'a/1': 'hot', 'b/0': 'up' },
      });
      stepFleet(plan, state, { ...shown, maintenance: calendar });
    }
    const refused = [
      { silence: silence({ id: 's9', matchers: [matcher('alertname!~x')] }), reason: 'it names no node' },
    ];
    const peers = [{ url: 'http://am:9093', heardAtMs: atTick(22), failure: undefined, failures: 2 }];
    expect(await ask({ plan, state }, { calendar, refused, peers })).toEqual({
      timestamp: atTick(22) / 1000 + 3,
      enabled: true,
      budget_seconds: 80,
      notice_seconds: 30,
      gate: 'deny',
      spans: [
        {
          id: 's0.0',
          silence: 's0',
          phase: 'past',
          from: atTick(2) / 1000,
          to: atTick(5) / 1000,
          created_by: 'sre',
          comment: 'maintenance: new fans',
          matchers: ['instance="a"'],
          first_seen: atTick(0) / 1000,
          nodes: ['a'],
          gpus: ['a/0', 'a/1'],
        },
        {
          id: 's1.0',
          silence: 's1',
          phase: 'active',
          from: atTick(20) / 1000,
          to: atTick(30) / 1000,
          created_by: 'sre',
          comment: 'maintenance: new fans',
          matchers: ['instance="a"'],
          first_seen: atTick(0) / 1000,
          nodes: ['a'],
          gpus: ['a/0', 'a/1'],
        },
        {
          id: 's3.0',
          silence: 's3',
          phase: 'upcoming',
          from: atTick(30) / 1000,
          to: atTick(40) / 1000,
          created_by: 'sre',
          comment: 'maintenance: racks',
          matchers: ['instance=~"b|c"'],
          first_seen: atTick(0) / 1000,
          nodes: ['b'],
          gpus: ['b/0'],
        },
      ],
      nodes: [
        {
          node: 'a',
          state: 'maintenance',
          until: atTick(25) / 1000,
          gpus: 2,
          budget_used_seconds: 60,
          budget_left_seconds: 20,
          over_budget_seconds: 0,
          windows: [
            { name: 'short', excluded_ticks: 6, excluded_percentage: 50 },
            { name: 'medium', excluded_ticks: 6, excluded_percentage: 25 },
            { name: 'long', excluded_ticks: 12, excluded_percentage: 25 },
          ],
        },
        {
          node: 'b',
          state: 'none',
          until: null,
          gpus: 1,
          budget_used_seconds: 0,
          budget_left_seconds: 80,
          over_budget_seconds: 0,
          windows: [
            { name: 'short', excluded_ticks: 0, excluded_percentage: 0 },
            { name: 'medium', excluded_ticks: 0, excluded_percentage: 0 },
            { name: 'long', excluded_ticks: 0, excluded_percentage: 0 },
          ],
        },
      ],
      refused: [
        {
          silence: 's9',
          created_by: 'sre',
          comment: 'maintenance: new fans',
          matchers: ['alertname!~"x"'],
          reason: 'it names no node',
        },
      ],
      alertmanagers: [{ url: 'http://am:9093', heard_at: atTick(22) / 1000, failure: null }],
    });
  });

  it('says so where the policy grants none', async () => {
    const judged = play(planOf(), times(2, { 'a/0': 'up' }));
    expect(await ask(judged, { calendar: undefined, refused: [], peers: [] })).toEqual({
      timestamp: atTick(1) / 1000 + 3,
      enabled: false,
      budget_seconds: 0,
      notice_seconds: 0,
      gate: 'allow',
      spans: [],
      nodes: [],
      refused: [],
      alertmanagers: [],
    });
  });
});
