/** Items 14 to 21 of the alert-generator specification: the states of an alert, over many intervals and offsets. */
import { describe, expect, it } from 'vitest';
import { anyLife, everyLife, live } from './lives.ts';
import { element, openStage, SECOND } from './stage.ts';

/** Evaluations of a 30 s group, on and off the grid of the data. */
const OFFSETS = [0, 1, 4999, 7000, 11_300, 14_999, 15_000, 15_001, 22_500, 29_999];

const states = (lived: Awaited<ReturnType<typeof live>>) => lived.map(({ alerts }) => alerts[0]?.state ?? 'inactive');

describe('the state machine', () => {
  it('14. with a for it starts pending, and ActiveAt is the instant of that evaluation', async () => {
    await everyLife(anyLife, (lived, told) => {
      expect(lived.map(({ alerts }) => alerts[0]?.activeAt)).toEqual(told.map(({ activeAt }) => activeAt));
      const begins = lived.filter(({ at, alerts }) => alerts[0]?.activeAt === at);
      const expected = told.filter(({ at, activeAt }) => activeAt === at);
      expect(begins.map(({ alerts }) => alerts[0]?.state)).toEqual(expected.map(({ state }) => state));
    });
  });

  it('15. it stays pending while less than its for has passed since ActiveAt', async () => {
    await everyLife(anyLife, (lived, told, { forMs }) => {
      for (const { at, alerts } of lived) {
        for (const { state, activeAt } of alerts) expect(state === 'pending').toBe(at - activeAt < forMs);
      }
      expect(states(lived)).toEqual(told.map(({ state }) => state));
    });
  });

  it('16. it fires at the first evaluation at which its for has passed, and FiredAt is that instant', async () => {
    await everyLife(anyLife, (lived, told) => {
      expect(lived.map(({ alerts }) => alerts[0]?.firedAt)).toEqual(told.map(({ firedAt }) => firedAt));
    });
  });

  it.each(OFFSETS)(
    '16. with a for of exactly two intervals it fires at the third evaluation (offset %d ms)',
    async (offsetMs) => {
      const life = { intervalMs: 30_000, forMs: 60_000, resendDelayMs: 60_000, offsetMs, values: [1, 1, 1] };
      expect(states(await live(life))).toEqual(['pending', 'pending', 'firing']);
    },
  );

  it('17. without a for it fires when it is created, and is never pending', async () => {
    const immediate = anyLife.map((life) => ({ ...life, forMs: 0 }));
    await everyLife(immediate, (lived, told) => {
      expect(states(lived)).toEqual(told.map(({ value }) => (value === undefined ? 'inactive' : 'firing')));
      expect(lived.flatMap(({ shown }) => shown).filter(({ labels }) => labels.alertstate === 'pending')).toEqual([]);
    });
  });

  it.each(OFFSETS)(
    '18. a for shorter than the interval fires at the next evaluation and not between (offset %d ms)',
    async (offsetMs) => {
      const stage = await openStage({
        rules: 'groups: [{ name: g, interval: 30s, rules: [{ alert: A, expr: x, for: 15s }] }]',
        offsetMs,
        answers: { x: () => element(1) },
      });
      const seen: string[] = [];
      for (let second = 0; second <= 32; second++) {
        await stage.until(offsetMs + second * SECOND);
        seen.push(stage.evaluator.activeAlerts()[0]?.state ?? 'inactive');
      }
      await stage.close();
      expect(seen).toEqual([...Array(30).fill('pending'), 'firing', 'firing', 'firing']);
      expect(stage.sent.map(({ at }) => at - stage.zero)).toEqual([offsetMs + 30_000]);
    },
  );

  it('19. annotations are new at every evaluation, while it is pending and while it fires', async () => {
    await everyLife(anyLife, (lived, told) => {
      expect(lived.map(({ alerts }) => alerts[0]?.annotations.value)).toEqual(
        told.map(({ value }) => (value === undefined ? undefined : String(value))),
      );
      const sentWhileFiring = lived.flatMap(({ at, alerts, messages }) =>
        alerts.length === 0 ? [] : messages.map(({ annotations }) => [at, annotations.value]),
      );
      const values = new Map(told.map(({ at, value }) => [at, String(value)]));
      expect(sentWhileFiring).toEqual(sentWhileFiring.map(([at]) => [at, values.get(Number(at))]));
    });
  });

  it('20. a pending or firing alert that is missing from the result is inactive at once, and ResolvedAt is that instant', async () => {
    await everyLife(anyLife, (lived, told) => {
      const missing = told.map(({ value }) => value === undefined);
      expect(lived.map(({ alerts, shown }) => alerts.length + shown.length === 0)).toEqual(missing);
      const ends = lived.flatMap(({ alerts, messages }) =>
        alerts.length > 0 ? [] : messages.map(({ endsAt }) => endsAt),
      );
      expect(ends).toEqual(
        lived.flatMap(({ alerts, messages }, index) =>
          alerts.length > 0 ? [] : messages.map(() => told[index]?.resolvedAt),
        ),
      );
    });
  });

  it.each([
    ['pending', 0, []],
    [
      'firing',
      60_000,
      [
        [60_000, 300_000],
        [60_000, 90_000],
      ],
    ],
  ] as const)('20. it ends when its series simply ends while it is %s', async (state, lastMs, messages) => {
    const stage = await openStage({
      rules: 'groups: [{ name: g, interval: 30s, rules: [{ alert: A, expr: x, for: 1m }] }]',
      offsetMs: 0,
      answers: { x: (ms) => (ms <= lastMs ? element(1) : []) },
    });
    await stage.until(lastMs);
    expect(stage.evaluator.activeAlerts()).toMatchObject([{ state }]);
    await stage.until(lastMs + 30_000);
    expect(stage.evaluator.activeAlerts()).toEqual([]);
    expect(stage.sent.map(({ startsAt, endsAt }) => [startsAt - stage.zero, endsAt - stage.zero])).toEqual(messages);
    await stage.close();
  });

  it('21. the same labels later are a new alert, with an ActiveAt and a FiredAt of its own', async () => {
    await everyLife(anyLife, (lived, told) => {
      const spells = (
        seen: readonly { readonly activeAt?: number | undefined; readonly firedAt?: number | undefined }[],
      ) => [...new Set(seen.map(({ activeAt, firedAt }) => `${activeAt} ${firedAt}`))];
      expect(spells(lived.map(({ alerts }) => alerts[0] ?? {}))).toEqual(spells(told));
      const starts = new Set(lived.flatMap(({ messages }) => messages.map(({ startsAt }) => startsAt)));
      expect([...starts]).toEqual([...new Set(told.flatMap(({ firedAt }) => firedAt ?? []))]);
    });
  });
});
