import { describe, expect, it } from 'vitest';
import { type AlertRule, NEW_RULE_STATE, type RuleState, step } from '../../../engine/core/alert.ts';
import { type AlertMessage, type DeliveryPolicy, deliver } from '../../../engine/core/delivery.ts';
import { fingerprintOf } from '../../../engine/core/fingerprint.ts';

const MINUTE = 60_000;

const rule: AlertRule = {
  name: 'Hot',
  expr: 'temperature > 85',
  forMs: 0,
  keepFiringForMs: 0,
  limit: 0,
};

const HOT = { labels: { alertname: 'Hot', gpu: '3' }, annotations: { summary: '90 °C' }, value: 90 };

const RAISED = { labels: { alertname: 'Hot', reason: 'unknown' }, annotations: {}, value: Number.NaN };

const policy: DeliveryPolicy = { intervalMs: 15_000, resendDelayMs: MINUTE, keepAliveMs: 60 * MINUTE };

interface Sent extends Pick<AlertMessage, 'startsAt' | 'endsAt'> {
  readonly at: number;
}

/** Evaluates and delivers at every instant; `!` hot, `.` not, `?` the query fails. Sends happen `lagMs` after. */
function sendAll(
  pattern: string,
  options: { by?: Partial<DeliveryPolicy>; of?: Partial<AlertRule>; lagMs?: number; offsetMs?: number } = {},
): Sent[] {
  const used = { ...policy, ...options.by };
  const of = { ...rule, ...options.of };
  const sent: Sent[] = [];
  let state: RuleState = NEW_RULE_STATE;
  for (const [index, mark] of [...pattern].entries()) {
    const at = (options.offsetMs ?? 0) + index * used.intervalMs;
    const result = mark === '?' ? { failed: 'no answer' } : mark === '!' ? [HOT] : [];
    const delivery = deliver(
      { rule: of, state: step(of, state, { at, result }).state, at, now: at + (options.lagMs ?? 0) },
      used,
    );
    state = delivery.state;
    sent.push(...delivery.messages.map(({ startsAt, endsAt }) => ({ at, startsAt, endsAt })));
  }
  return sent;
}

const times = (sent: readonly Sent[]) => sent.map(({ at }) => at / 1000);

describe('deliver: when', () => {
  it.each([
    ['26: never while pending', '!!!', { of: { forMs: 10 * MINUTE } }, []],
    ['28: at once when it fires, then when more than the resend delay has passed', '!'.repeat(12), {}, [0, 75, 150]],
    [
      '28: with an interval above the resend delay, at every evaluation',
      '!!!',
      { by: { intervalMs: 90_000 } },
      [0, 90, 180],
    ],
    [
      '30: with an interval of 30 s, every 90 s as Prometheus',
      '!'.repeat(8),
      { by: { intervalMs: 30_000 } },
      [0, 90, 180],
    ],
    ['29: at once when it resolves, then as before', '!!........', {}, [0, 30, 105]],
    ['29: the end is not sent once it is firing again', '!.!!', {}, [0, 15, 30]],
    ['27: a resend delay of its own', '!'.repeat(9), { by: { resendDelayMs: 2 * MINUTE - 15_000 } }, [0, 120]],
    ['a firing alert is sent on while its query fails', `!${'?'.repeat(11)}`, {}, [0, 75, 150]],
  ])('%s', (_, pattern, options, expected) => {
    expect(times(sendAll(pattern, options))).toEqual(expected);
  });

  it.each([0, 1, 4_999, 7_500, 14_999])(
    '30: with an interval of 30 s, every 90 s from any offset (%d ms)',
    (offsetMs) => {
      const sent = sendAll('!'.repeat(10), { by: { intervalMs: 30_000 }, offsetMs });
      expect(sent.map(({ at }) => at - offsetMs)).toEqual([0, 90_000, 180_000, 270_000]);
    },
  );

  it('29: sends the end for fifteen minutes, whatever the resend delay', () => {
    const sent = sendAll(`!${'.'.repeat(40)}`, { by: { intervalMs: 30_000, resendDelayMs: 29_000 } });
    expect(times(sent).at(1)).toBe(30);
    expect(times(sent).at(-1)).toBe(30 + 15 * 60);
  });

  it('sends the end of an alert even while the query fails', () => {
    expect(times(sendAll(`!.${'?'.repeat(5)}`))).toEqual([0, 15, 90]);
  });
});

describe('deliver: what', () => {
  it('32: carries the alert as it is now', () => {
    const at = 5 * MINUTE;
    const { state } = step(rule, NEW_RULE_STATE, { at, result: [HOT] });
    expect(deliver({ rule, state, at, now: at }, policy).messages).toEqual([
      {
        key: '[["alertname","Hot"],["gpu","3"]]',
        fingerprint: fingerprintOf({ alertname: 'Hot', gpu: '3' }),
        labels: { alertname: 'Hot', gpu: '3' },
        annotations: { summary: '90 °C' },
        startsAt: at,
        endsAt: at + 4 * MINUTE,
        expr: 'temperature > 85',
      },
    ]);
  });

  it('33, 34: startsAt stays the instant it fired; endsAt is four resends away, and the end when it is over', () => {
    expect(sendAll('!!!!!!!.')).toEqual([
      { at: 0, startsAt: 0, endsAt: 4 * MINUTE },
      { at: 75_000, startsAt: 0, endsAt: 75_000 + 4 * MINUTE },
      { at: 105_000, startsAt: 0, endsAt: 105_000 },
    ]);
  });

  it('34: counts endsAt from the instant of sending, not of the evaluation', () => {
    expect(sendAll('!', { lagMs: 12_000 })).toEqual([{ at: 0, startsAt: 0, endsAt: 12_000 + 4 * MINUTE }]);
  });

  it('34: four intervals where they are longer than the resend delay', () => {
    expect(sendAll('!', { by: { intervalMs: 10 * MINUTE } })).toEqual([{ at: 0, startsAt: 0, endsAt: 40 * MINUTE }]);
  });

  it('keeps an alert alive through failed queries, but never longer than promised', () => {
    const sent = sendAll(`!${'?'.repeat(200)}`, { by: { keepAliveMs: 10 * MINUTE } });
    const ends = sent.map(({ endsAt }) => endsAt / MINUTE);
    expect(Math.max(...ends)).toBe(14);
    expect(sent.every(({ at, endsAt }) => endsAt > at)).toBe(true);
    expect(times(sent).at(-1)).toBeLessThan(14 * 60);
  });

  it.each([
    ['fails', { failed: 'no answer', raised: [RAISED] }],
    ['finds nothing', { noData: true, raised: [RAISED] }],
  ] as const)('keeps what is raised while the query %s for hours, and nothing else', (_, unknown) => {
    const sent: { readonly minute: number; readonly message: AlertMessage }[] = [];
    let state = step(rule, NEW_RULE_STATE, { at: 0, result: [HOT] }).state;
    for (let minute = 1; minute <= 300; minute++) {
      const at = minute * MINUTE;
      const result = minute === 300 ? [] : unknown;
      state = step(rule, state, { at, result }).state;
      const delivery = deliver({ rule, state, at, now: at }, { ...policy, intervalMs: MINUTE });
      state = delivery.state;
      sent.push(...delivery.messages.map((message) => ({ minute, message })));
    }
    const of = (reason: string | undefined) => sent.filter(({ message }) => message.labels.reason === reason);
    const [raised, kept] = [of('unknown'), of(undefined)];
    const lastly = { minute: 300, message: { endsAt: 300 * MINUTE } };
    expect(raised.slice(0, -1).map(({ minute, message }) => [minute, message.endsAt / MINUTE])).toEqual(
      Array.from({ length: 150 }, (_, index) => [1 + 2 * index, 1 + 2 * index + 4]),
    );
    expect([raised.at(-1), kept.at(-1)]).toMatchObject([lastly, lastly]);
    // What nobody has confirmed is believed for an hour beyond the last promise.
    expect(Math.max(...kept.slice(0, -1).map(({ message }) => message.endsAt))).toBe(64 * MINUTE);
  });

  it('goes on with the same start when Prometheus answers again', () => {
    const sent = sendAll(`!${'?'.repeat(100)}!`, { by: { keepAliveMs: MINUTE } });
    expect(sent.at(-1)).toEqual({ at: 101 * 15_000, startsAt: 0, endsAt: 101 * 15_000 + 4 * MINUTE });
  });
});
