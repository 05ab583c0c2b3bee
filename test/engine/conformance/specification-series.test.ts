/** Items 22 to 25 of the alert-generator specification: the series ALERTS. */
import { describe, expect, it } from 'vitest';
import { ALERT_LABELS, anyLife, everyLife } from './lives.ts';
import type { SeriesMemory } from './series-memory.ts';
import { element, MINUTE, openStage, SECOND } from './stage.ts';

const OFFSETS = [0, 1, 7000, 15_000, 22_501, 29_999];

describe('ALERTS', () => {
  it('22. is 1 at the evaluation for each pending and firing alert, with its labels and no others', async () => {
    await everyLife(anyLife, (lived, told) => {
      expect(lived.map(({ shown }) => shown)).toEqual(
        told.map(({ state }) => {
          if (state === 'inactive') return [];
          return [{ labels: { ...ALERT_LABELS, __name__: 'ALERTS', alertstate: state }, value: 1 }];
        }),
      );
    });
  });

  it.each(OFFSETS)(
    '22. every sample is at an evaluation, of each alert of the rule (offset %d ms)',
    async (offsetMs) => {
      const stage = await openStage({
        rules: 'groups: [{ name: g, interval: 30s, rules: [{ alert: A, expr: x, for: 1m }] }]',
        offsetMs,
        answers: { x: (ms) => ['0', '1'].map((gpu) => ({ labels: { gpu }, value: ms })) },
      });
      await stage.until(2 * MINUTE + 29 * SECOND);
      const samples = stage.series
        .all('ALERTS')
        .flatMap(({ labels, samples: of }) =>
          of.map(({ atMs, value }) => [labels.gpu, labels.alertstate, (atMs - stage.first) / SECOND, value]),
        );
      await stage.close();
      const last = offsetMs <= 29_000 ? 120 : 90;
      for (const gpu of ['0', '1']) {
        const firing = samples.filter(([of, state, , value]) => of === gpu && state === 'firing' && value === 1);
        const pending = samples.filter(([of, state, , value]) => of === gpu && state === 'pending' && value === 1);
        expect(pending.map(([, , second]) => second)).toEqual([0, 30]);
        expect(firing.map(([, , second]) => second)).toEqual([60, 90, 120].filter((second) => second <= last));
      }
    },
  );

  it('23. its name and its alertstate win over labels of the alert with those names', async () => {
    const stage = await openStage({
      rules:
        'groups: [{ name: g, interval: 30s, rules: [{ alert: A, expr: x, labels: { alertstate: very_critical } }] }]',
      answers: { x: () => element(1, { __name__: 'my_metric', job: 'a' }) },
    });
    await stage.until(10 * SECOND);
    expect(stage.series.select('ALERTS', {}, stage.first)).toEqual([
      { labels: { __name__: 'ALERTS', alertstate: 'firing', alertname: 'A', job: 'a' }, value: 1 },
    ]);
    expect(stage.evaluator.activeAlerts()[0]?.labels).toEqual({
      alertstate: 'very_critical',
      alertname: 'A',
      job: 'a',
    });
    await stage.close();
  });

  it.each(OFFSETS)(
    '24. later rules of the cycle see it at once, with its new state (offset %d ms)',
    async (offsetMs) => {
      const alerts = (state: string) => (ms: number, series: SeriesMemory) => {
        return series.select('ALERTS', { alertname: 'A', alertstate: state }, zero + ms);
      };
      const stage = await openStage({
        rules: `
groups:
  - name: g
    interval: 30s
    rules:
      - { alert: A, expr: x, for: 1m }
      - { alert: Waiting, expr: 'ALERTS{alertname="A",alertstate="pending"}' }
      - { alert: Burning, expr: 'ALERTS{alertname="A",alertstate="firing"}' }
`,
        offsetMs,
        answers: {
          x: (ms) => (ms < offsetMs + 90_000 ? element(1) : []),
          'ALERTS{alertname="A",alertstate="pending"}': alerts('pending'),
          'ALERTS{alertname="A",alertstate="firing"}': alerts('firing'),
        },
      });
      const { zero } = stage;
      const seen: string[][] = [];
      for (const ms of [0, 30_000, 60_000, 90_000]) {
        await stage.until(offsetMs + ms);
        seen.push(stage.evaluator.activeAlerts().map(({ name, state }) => `${name} ${state}`));
      }
      await stage.close();
      expect(seen).toEqual([
        ['A pending', 'Waiting firing'],
        ['A pending', 'Waiting firing'],
        ['A firing', 'Burning firing'],
        [],
      ]);
    },
  );

  it('25. there is none for an inactive alert: its series ends with a stale marker, not with the lookback', async () => {
    await everyLife(anyLife, (lived, told) => {
      for (const [index, { shown }] of lived.entries()) {
        const { state } = told[index] ?? {};
        expect(shown.map(({ labels }) => labels.alertstate)).toEqual(state === 'inactive' ? [] : [state]);
      }
    });
  });

  it.each(OFFSETS)('25. the marker is at the evaluation that found nothing (offset %d ms)', async (offsetMs) => {
    const stage = await openStage({
      rules: 'groups: [{ name: g, interval: 30s, rules: [{ alert: A, expr: x }] }]',
      offsetMs,
      answers: { x: (ms) => (ms < 45_000 ? element(1) : []) },
    });
    await stage.until(2 * MINUTE);
    const ends = stage.series.all('ALERTS').flatMap(({ samples }) => samples.filter(({ value }) => value === 'stale'));
    const expected = offsetMs < 15_000 ? 60_000 : 30_000;
    expect(ends.map(({ atMs }) => atMs - stage.first)).toEqual([expected]);
    expect(stage.series.select('ALERTS', {}, stage.zero + 2 * MINUTE)).toEqual([]);
    await stage.close();
  });
});
