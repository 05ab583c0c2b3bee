import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ticksToRecovery } from '../../../engine/core/forecast.ts';
import { judgeWindows, sumTotals } from '../../../engine/core/totals.ts';
import { planOf, play, type Shown, type TickShown, times } from './fixtures.ts';

const PLAN = planOf();
const [CAPABILITY] = PLAN.capabilities;

function verdictOfNode(ticks: readonly TickShown[]) {
  const { state } = play(PLAN, ticks);
  const totals = sumTotals(PLAN, state.gpus.values(), CAPABILITY);
  return { verdict: judgeWindows(PLAN, CAPABILITY, totals.fleet), gpus: [...state.gpus.values()] };
}

describe('ticksToRecovery', () => {
  it('is 0 for windows that are met', () => {
    expect(ticksToRecovery(PLAN, CAPABILITY, verdictOfNode(times(24, { 'a/0': 'up' })).gpus)).toBe(0);
  });

  it('waits until the bad tick has left the longest window it makes low', () => {
    const ticks = [...times(23, { 'a/0': 'up' }), ...times(1, { 'a/0': 'hot' })];
    expect(ticksToRecovery(PLAN, CAPABILITY, verdictOfNode(ticks).gpus)).toBe(24);
  });

  it('counts a window that coverage will make known on the way', () => {
    const ticks = [...times(2, { 'a/0': 'up' }), ...times(1, { 'a/0': 'hot' }), ...times(2, { 'a/0': 'up' })];
    const { verdict, gpus } = verdictOfNode(ticks);
    expect(verdict).toBe('low');
    // The hot tick leaves the 6-tick window after 4 ticks, but the 24-tick window, known from the 12th on, only after 22.
    expect(ticksToRecovery(PLAN, CAPABILITY, gpus)).toBe(22);
  });

  it('is exact: that many healthy ticks recover the subject for good, and one fewer does not', () => {
    const shown = fc.constantFrom<Shown>('up', 'up', 'hot', 'busy', 'gone');
    const tick = fc.record({
      isWatched: fc.constantFrom(true, true, true, false),
      gpus: fc.record({ 'a/0': shown, 'a/1': shown }),
    });
    const history = fc.array(tick, { maxLength: 40 });
    const healthy = (count: number) => times(count, { 'a/0': 'up', 'a/1': 'up' });
    fc.assert(
      fc.property(history, fc.nat(24), (ticks, later) => {
        const all = [...times(3, { 'a/0': 'up', 'a/1': 'up' }), ...ticks];
        const before = verdictOfNode(all);
        fc.pre(before.verdict === 'low');
        const needed = ticksToRecovery(PLAN, CAPABILITY, before.gpus);
        expect(verdictOfNode([...all, ...healthy(needed + later)]).verdict).toBe('met');
        expect(verdictOfNode([...all, ...healthy(needed - 1)]).verdict).not.toBe('met');
      }),
      { numRuns: 60 },
    );
  });
});
