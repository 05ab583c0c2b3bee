import { afterEach, describe, expect, it, vi } from 'vitest';
import { planMaintenance } from '../../engine/core/maintenance.ts';
import { cronEvery, type ReportedEngine, Reports, statusReport } from '../../engine/report.ts';
import { MINUTE, type Played, planOf, play, SECOND, START_MS, times } from './core/fixtures.ts';
import { atTick, maintenancePolicy, matcher, span, TICK_MS } from './core/silences.ts';

afterEach(() => vi.useRealTimers());

describe('cronEvery', () => {
  it.each([
    [1, '*/1 * * * * *'],
    [5, '*/5 * * * * *'],
    [7, '*/6 * * * * *'],
    [45, '*/30 * * * * *'],
    [60, '0 */1 * * * *'],
    [300, '0 */5 * * * *'],
    [3600, '0 0 */1 * * *'],
    [90_000, '0 0 */24 * * *'],
  ])('%i s', (seconds, expression) => {
    expect(cronEvery(seconds * 1000)).toBe(expression);
  });
});

function engineWith(judged: () => Played): ReportedEngine {
  return { judged, holds: () => [], backlogTicks: () => 0, dropExpiredHolds: async () => {} };
}

describe('statusReport', () => {
  const GPUS = { 'a/0': 'up', 'a/1': 'hot', 'b/0': 'busy', 'b/1': 'up' } as const;
  const report = (detailed: boolean) => {
    const plan = planOf({ report: { intervalMs: MINUTE, detailed } });
    const played = play(plan, times(2, GPUS));
    return statusReport(
      engineWith(() => played),
      START_MS + 10 * SECOND,
    );
  };

  it('sums the fleet up', () => {
    const summary = { gpus: 4, notUp: 2, delays: 0, backlogTicks: 0 };
    expect(report(false)).toMatchObject(summary);
    expect(report(false)).not.toHaveProperty('everyGpu');
  });

  it('says how many GPUs are in planned maintenance, and how many beyond its budget', () => {
    const plan = planOf({ maintenance: maintenancePolicy({ budgetMs: 2 * TICK_MS }) });
    const played = play(plan, times(2, GPUS));
    const spans = [
      span(0, 9, { matchers: [matcher('instance=a')] }),
      span(2, 9, { id: 's2.0', matchers: [matcher('UUID=b/0')] }),
    ];
    played.state.maintenance = planMaintenance(plan.policy, spans);
    const report = statusReport(
      engineWith(() => played),
      atTick(2),
    );
    expect(report).toMatchObject({ inMaintenance: 1, overMaintenanceBudget: 2 });
  });

  it('lists every GPU with its state and reason when detailed, also those that are up', () => {
    expect(report(true).everyGpu).toEqual([
      { gpu: 'a/0', node: 'a', state: 'up' },
      { gpu: 'a/1', node: 'a', state: 'down', reason: 'temperature 91 °C > 85 °C' },
      { gpu: 'b/0', node: 'b', state: 'busy', reason: 'gpu_utilization 99% > 95%' },
      { gpu: 'b/1', node: 'b', state: 'up' },
    ]);
  });

  it('lists more GPUs than an answer has causes', () => {
    const gpus = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`a/${index}`, 'hot' as const]));
    const played = play(planOf({ report: { intervalMs: MINUTE, detailed: true } }), times(1, gpus));
    const { everyGpu } = statusReport(
      engineWith(() => played),
      START_MS,
    );
    expect(everyGpu).toHaveLength(25);
  });
});

describe('Reports', () => {
  function reportsEvery(intervalMs: number) {
    // node-cron asks the clock of the process.
    vi.useFakeTimers({ now: START_MS - (START_MS % MINUTE) });
    let played = play(planOf({ report: { intervalMs, detailed: false } }), []);
    const log = { info: vi.fn(), warn: vi.fn() };
    const reports = new Reports({ engine: engineWith(() => played), log, now: Date.now });
    const setInterval = (nextMs: number) => {
      played = play(planOf({ report: { intervalMs: nextMs, detailed: false } }), []);
    };
    const during = async (ms: number) => {
      log.info.mockClear();
      await vi.advanceTimersByTimeAsync(ms);
      return log.info.mock.calls.length;
    };
    return { reports, log, setInterval, during };
  }

  it('report until they are stopped', async () => {
    const { reports, during } = reportsEvery(10 * SECOND);
    reports.start();
    expect(await during(MINUTE)).toBe(6);
    await reports.stop();
    expect(await during(MINUTE)).toBe(0);
  });

  it('follow a policy with another interval, and only while they run', async () => {
    const { reports, setInterval, during } = reportsEvery(10 * SECOND);
    await reports.reschedule();
    reports.start();
    setInterval(30 * SECOND);
    await reports.reschedule();
    expect(await during(MINUTE)).toBe(2);
    await reports.stop();
    setInterval(10 * SECOND);
    await reports.reschedule();
    expect(await during(MINUTE)).toBe(0);
  });

  it.each([
    [45 * SECOND, ['report.interval 45s does not divide a minute, an hour or a day evenly: 30s is used']],
    [90 * MINUTE, ['report.interval 1h30m does not divide a minute, an hour or a day evenly: 1h is used']],
    [MINUTE, []],
  ])('say once what cron makes of an interval of %i ms', async (intervalMs, warnings) => {
    const { reports, log } = reportsEvery(intervalMs);
    reports.start();
    await reports.reschedule();
    expect(log.warn.mock.calls.flat()).toEqual(warnings);
    await reports.stop();
  });

  it('say in the log, and nowhere else, that the process was too busy for them, or that they failed', async () => {
    const written: string[] = [];
    const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation((...words) => void written.push(words.join(' '))),
    );
    const { reports, log, during } = reportsEvery(10 * SECOND);
    reports.start();
    vi.setSystemTime(Date.now() + 5 * MINUTE);
    await during(MINUTE);
    log.info.mockImplementation(() => {
      throw new Error('the disk is full');
    });
    await vi.advanceTimersByTimeAsync(10 * SECOND);
    await reports.stop();
    for (const spy of spies) spy.mockRestore();
    expect(written).toEqual([]);
    const said = log.warn.mock.calls.map(([, text]) => String(text));
    expect(said.filter((text) => /^status report: missed execution at /.test(text)).length).toBeGreaterThan(0);
    expect(said.at(-1)).toBe('status report: the disk is full');
    expect(log.warn.mock.lastCall?.[0]).toMatchObject({ task: 'status report', err: { message: 'the disk is full' } });
  });
});
