import { describe, expect, it } from 'vitest';
import { noTotals } from '../../../exporter/agent/span.ts';
import { uptimeReport } from '../../../exporter/agent/uptime-report.ts';
import { check, checks, down, historyOf, ping, start, up, wallZeroMs } from './fixtures.ts';

const at = (second: number) => wallZeroMs + second * 1000;
const cursor = (since: number, bootId = 'boot-a') => ({ bootId, since });

describe('uptimeReport', () => {
  const history = historyOf([start(), ...checks(1, 0, [up, up, down, down, up, up])]);

  it('tells a first reader everything', () => {
    expect(uptimeReport(history, undefined)).toEqual({
      bootId: 'boot-a',
      seq: 6,
      since: 0,
      isFirstPing: true,
      continuity: 'complete',
      totals: { ...noTotals, checks: 6, availableChecks: 4, availableMs: 15_000, unavailableMs: 10_000 },
      firstCheckMs: at(0),
      lastCheckMs: at(25),
      downtimes: [{ fromMs: at(10), untilMs: at(20), ms: 10_000, checks: 2, gpus: 7, reason: '7 of 8 GPUs answer' }],
      areDowntimesTruncated: false,
    });
  });

  it('tells a reader with a cursor what came after it', () => {
    expect(uptimeReport(history, cursor(3))).toEqual({
      bootId: 'boot-a',
      seq: 6,
      since: 3,
      isFirstPing: false,
      continuity: 'complete',
      totals: { ...noTotals, checks: 3, availableChecks: 2, availableMs: 10_000, unavailableMs: 5000 },
      firstCheckMs: at(15),
      lastCheckMs: at(25),
      downtimes: [{ fromMs: at(15), untilMs: at(20), ms: 5000, checks: 1, gpus: 7, reason: '7 of 8 GPUs answer' }],
      areDowntimesTruncated: false,
    });
  });

  it('has nothing to tell a reader who knows everything', () => {
    expect(uptimeReport(history, cursor(6))).toMatchObject({
      since: 6,
      continuity: 'complete',
      totals: noTotals,
      firstCheckMs: undefined,
      downtimes: [],
    });
  });

  it('gives the same answer however often it is asked', () => {
    const first = uptimeReport(history, cursor(2));
    const asked = historyOf([start(), ...checks(1, 0, [up, up, down, down, up, up]), ping(6, 2), ping(6, 2)]);
    expect(uptimeReport(asked, cursor(2))).toEqual(first);
  });

  it('tells whoever asks without a cursor everything, whatever others have come back with', () => {
    const checked = [start(), ...checks(1, 0, [up, up, down, down, up, up])];
    const stranger = historyOf([...checked, ping(6), ping(6, 6), ping(6, 6)]);
    expect(uptimeReport(stranger, undefined)).toEqual(uptimeReport(historyOf(checked), undefined));
    expect(uptimeReport(stranger, undefined)).toMatchObject({ since: 0, totals: { checks: 6, unavailableMs: 10_000 } });
  });

  it('follows a reader across a restart of the agent', () => {
    const restarted = historyOf([start(), ...checks(1, 0, [up, up]), start('boot-b'), ...checks(3, 60, [up, up])]);
    expect(uptimeReport(restarted, cursor(2))).toMatchObject({
      bootId: 'boot-b',
      since: 2,
      continuity: 'complete',
      totals: { checks: 2, availableMs: 5000, gapMs: 55_000 },
    });
  });

  it('counts checks that a reader saw and a crash made the history forget neither twice nor as lost', () => {
    const rolledBack = historyOf([start(), ...checks(1, 0, [up, up]), start('boot-b'), ...checks(3, 60, [up, down])]);
    expect(uptimeReport(rolledBack, cursor(9))).toMatchObject({
      since: 2,
      continuity: 'complete',
      totals: { checks: 2 },
    });
  });

  it.each([
    ['an unknown boot', cursor(3, 'boot-x')],
    ['a number that the running process has not reached', cursor(7)],
  ])('answers %s with all there is, and says that it may not fit', (_, given) => {
    expect(uptimeReport(history, given)).toMatchObject({ since: 0, continuity: 'history_lost', totals: { checks: 6 } });
  });

  it('answers from before a cursor that lies within folded checks, and says so', () => {
    const flapping = historyOf([start(), ...checks(1, 0, [up, down, up, down, up, down])], 3);
    expect(uptimeReport(flapping, cursor(4))).toMatchObject({
      since: 4,
      continuity: 'complete',
      totals: { checks: 2 },
    });
    expect(uptimeReport(flapping, cursor(2))).toMatchObject({
      since: 0,
      continuity: 'history_lost',
      totals: { checks: 6 },
      areDowntimesTruncated: true,
    });
  });

  it('says how many checks are lost to damage, and only to readers who had not seen them', () => {
    const damaged = historyOf([start(), check(1, 0), check(4, 15), check(5, 20)]);
    expect(uptimeReport(damaged, cursor(1))).toMatchObject({ continuity: 'history_lost', totals: { lostChecks: 2 } });
    expect(uptimeReport(damaged, cursor(3))).toMatchObject({ continuity: 'complete', totals: { lostChecks: 0 } });
    expect(uptimeReport(damaged, cursor(4))).toMatchObject({ continuity: 'complete', totals: { checks: 1 } });
  });

  it('shows one downtime as one, through pings; and as two around a gap', () => {
    const asked = historyOf([start(), check(1, 0, down), ping(1), check(2, 5, down), check(3, 65, down)]);
    expect(uptimeReport(asked, undefined).downtimes).toEqual([
      { fromMs: at(65), untilMs: undefined, ms: 0, checks: 1, gpus: 7, reason: '7 of 8 GPUs answer' },
      { fromMs: at(0), untilMs: at(65), ms: 5000, checks: 2, gpus: 7, reason: '7 of 8 GPUs answer' },
    ]);
  });

  it('lists the newest hundred downtimes, and says that there were more', () => {
    const flapping = Array.from({ length: 202 }, (_, nth) => (nth % 2 === 0 ? up : down));
    const { downtimes, areDowntimesTruncated } = uptimeReport(
      historyOf([start(), ...checks(1, 0, flapping)]),
      undefined,
    );
    expect([downtimes.length, downtimes[0]?.fromMs, areDowntimesTruncated]).toEqual([100, at(201 * 5), true]);
  });

  it('answers before the first check', () => {
    expect(uptimeReport(historyOf([start()]), undefined)).toMatchObject({ seq: 0, since: 0, totals: noTotals });
  });
});
