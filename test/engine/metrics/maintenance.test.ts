import { describe, expect, it } from 'vitest';
import { createFleet, stepFleet } from '../../../engine/core/fleet.ts';
import { planMaintenance } from '../../../engine/core/maintenance.ts';
import { renderMaintenance } from '../../../engine/metrics/maintenance.ts';
import { observe, planOf, play, START_MS, times } from '../core/fixtures.ts';
import { atTick, maintenancePolicy, matcher, span, TICK_MS } from '../core/silences.ts';

describe('renderMaintenance', () => {
  it('equals the golden page: one node in maintenance, one beyond its budget, one done', async () => {
    const plan = planOf({ maintenance: maintenancePolicy({ budgetMs: 4 * TICK_MS }) });
    const calendar = planMaintenance(plan.policy, [
      span(8, 20),
      span(2, 20, { id: 's2.0', matchers: [matcher('instance=b')] }),
      span(1, 3, { id: 's3.0', matchers: [matcher('UUID=c/0')] }),
    ]);
    const state = createFleet();
    for (let tick = 0; tick < 10; tick++) {
      const gpus = { 'a/0': 'up', 'a/1': 'up', 'b/0': 'up', 'c/0': 'up', 'd/0': 'up' } as const;
      const shown = observe(plan, START_MS + tick * TICK_MS, { isWatched: true, gpus });
      stepFleet(plan, state, { ...shown, maintenance: calendar });
    }
    const peers = [{ url: 'http://am:9093', heardAtMs: undefined, failure: 'answered 503', failures: 3 }];
    const page = renderMaintenance({ plan, state }, { calendar, refused: [], peers }, atTick(9));
    await expect(page).toMatchFileSnapshot('./golden/maintenance.prom');
  });

  it('is empty where the policy grants none', () => {
    const judged = play(planOf(), times(1, { 'a/0': 'up' }));
    expect(renderMaintenance(judged, { calendar: undefined, refused: [], peers: [] }, atTick(0))).toBe('');
  });
});
