/** Items 26 to 35 of the alert-generator specification: what is sent, when, and what it says. */
import { describe, expect, it } from 'vitest';
import { outgoingOf } from '../../../engine/alertmanager/outgoing.ts';
import { encodeAlert } from '../../../engine/alertmanager/payload.ts';
import { readConfig } from '../../../engine/config.ts';
import { ALERT_LABELS, anyEndedLife, anyLife, everyLife, type Life, type Lived, live, type Told } from './lives.ts';
import { MINUTE, SECOND } from './stage.ts';

const RETENTION_MS = 15 * MINUTE;

/** Instants at which a message is due, counted from the states alone. */
function dueAt(told: readonly Told[], { resendDelayMs }: Life): readonly number[] {
  const due: number[] = [];
  let [lastSent, subject]: [number | undefined, string | undefined] = [undefined, undefined];
  for (const { at, state, firedAt, resolvedAt } of told) {
    const isOver = state === 'inactive' && resolvedAt !== undefined && at - resolvedAt <= RETENTION_MS;
    if (state !== 'firing' && !isOver) continue;
    const now = `${state} ${firedAt ?? resolvedAt}`;
    // C3: more than the delay, so an evaluation exactly one delay later sends nothing.
    if (subject === now && lastSent !== undefined && at - lastSent <= resendDelayMs) continue;
    [lastSent, subject] = [at, now];
    due.push(at);
  }
  return due;
}

const sentAt = (lived: readonly Lived[]) => lived.flatMap(({ messages }) => messages.map(({ at }) => at));
const messagesOf = (lived: readonly Lived[]) => lived.flatMap(({ messages }) => messages);

/** An alert that fires at once and stays, evaluated every `intervalMs`. */
const lasting = (intervalMs: number, resendDelayMs: number, offsetMs: number): Life => {
  const values = Array.from({ length: Math.ceil((20 * MINUTE) / intervalMs) }, () => 1);
  return { intervalMs, forMs: 0, resendDelayMs, offsetMs, values };
};

const gaps = (instants: readonly number[]) => instants.slice(1).map((at, index) => at - (instants[index] ?? 0));

describe('sending', () => {
  it('26. only firing and inactive alerts are sent, and only when the rule has been evaluated', async () => {
    await everyLife(anyLife, (lived, told) => {
      for (const [index, { at, messages }] of lived.entries()) {
        const { state, resolvedAt } = told[index] ?? {};
        expect(messages.every((message) => message.at === at)).toBe(true);
        if (messages.length > 0) expect(state === 'firing' || resolvedAt !== undefined).toBe(true);
      }
    });
  });

  it('27. the resend delay can be set, and is one minute unless it is', () => {
    const delayOf = (env: Readonly<Record<string, string>>) => {
      const read = readConfig(env, []);
      return 'config' in read ? read.config.alertResendMs : undefined;
    };
    expect([delayOf({}), delayOf({ ALERT_RESEND_SECONDS: '90' })]).toEqual([MINUTE, 90 * SECOND]);
  });

  it('28. a firing alert is sent when it first fires, then whenever more than the resend delay has passed', async () => {
    await everyLife(anyLife, (lived, told, life) => {
      const firing = new Set(told.filter(({ state }) => state === 'firing').map(({ at }) => at));
      const isFiring = (at: number) => firing.has(at);
      expect(sentAt(lived).filter(isFiring)).toEqual(dueAt(told, life).filter(isFiring));
    });
  });

  it('29. the end of an alert is sent at once, again after every resend delay, for 15 minutes (C4)', async () => {
    await everyLife(anyEndedLife, (lived, told, life) => {
      const over = new Set(told.filter(({ state }) => state === 'inactive').map(({ at }) => at));
      const isOver = (at: number) => over.has(at);
      expect(sentAt(lived).filter(isOver)).toEqual(dueAt(told, life).filter(isOver));
      expect(over.size).toBeGreaterThan(0);
    });
  });

  it('29. a new alert with the same labels ends the sending of the old one’s end', async () => {
    const life = { intervalMs: 30_000, forMs: 5 * MINUTE, resendDelayMs: SECOND, offsetMs: 7000 };
    const values = [...Array(11).fill(1), ...Array(3).fill(undefined), ...Array(8).fill(2)];
    const lived = await live({ ...life, values });
    const counts = lived.map(({ messages }) => messages.length);
    expect(counts).toEqual([...Array(10).fill(0), 1, 1, 1, 1, ...Array(8).fill(0)]);
  });

  it.each([0, 1, 7000, 15_000, 29_999])(
    '30. the real interval is the first multiple of the group’s interval that is more than the resend delay (C3, offset %d ms)',
    async (offsetMs) => {
      const intervals = [
        [30_000, 60_000, 90_000],
        [30_000, 59_999, 60_000],
        [45_000, 60_000, 90_000],
        [120_000, 60_000, 120_000],
      ] as const;
      for (const [intervalMs, resendDelayMs, expected] of intervals) {
        const every = new Set(gaps(sentAt(await live(lasting(intervalMs, resendDelayMs, offsetMs)))));
        expect([...every]).toEqual([expected]);
      }
    },
  );

  it('29. the message exactly 15 minutes after the end is the last one, as in Prometheus (C4)', async () => {
    const values = [1, ...Array(40).fill(undefined)];
    const lived = await live({ intervalMs: 30_000, forMs: 0, resendDelayMs: 59_999, offsetMs: 7000, values });
    const over = messagesOf(lived).slice(1);
    expect(over.map(({ at, endsAt }) => (at - endsAt) / MINUTE)).toEqual([...Array(16).keys()]);
  });

  it('31. messages go out as a JSON array of alerts', async () => {
    const [message] = messagesOf(await live({ ...lasting(30_000, MINUTE, 0), values: [1] }));
    const payload = message && [encodeAlert(outgoingOf(message, 'http://engine:8000'))];
    expect(JSON.parse(JSON.stringify(payload))).toEqual([
      {
        labels: ALERT_LABELS,
        annotations: { value: '1' },
        startsAt: '1970-01-01T00:00:00.000Z',
        endsAt: '1970-01-01T00:04:00.000Z',
        generatorURL: expect.stringMatching(/^http:\/\/engine:8000\//),
      },
    ]);
  });

  it('32. labels and annotations are those of the alert after its templates were expanded', async () => {
    await everyLife(anyLife, (lived) => {
      for (const { alerts, messages } of lived) {
        for (const { labels, annotations } of messages) {
          expect(labels).toEqual(ALERT_LABELS);
          if (alerts.length > 0) expect(annotations).toEqual(alerts[0]?.annotations);
        }
      }
    });
  });

  it('32. the end of an alert says what it last said', async () => {
    const lived = await live({ ...lasting(30_000, MINUTE, 0), values: [1, 2, undefined] });
    expect(messagesOf(lived).map(({ annotations }) => annotations.value)).toEqual(['1', '2']);
  });

  it('33. startsAt is FiredAt, in the message of its end too', async () => {
    await everyLife(anyEndedLife, (lived, told) => {
      const [firedAt] = told.flatMap((one) => one.firedAt ?? []);
      expect(new Set(messagesOf(lived).map(({ startsAt }) => startsAt))).toEqual(new Set([firedAt]));
    });
  });

  it('34. endsAt is ResolvedAt when it is over, and else four sends from the time of sending (C2)', async () => {
    await everyLife(anyEndedLife, (lived, told, { intervalMs, resendDelayMs }) => {
      const byAt = new Map(told.map((one) => [one.at, one]));
      const expected = messagesOf(lived).map(({ at }) => {
        const { state, resolvedAt } = byAt.get(at) ?? {};
        return state === 'firing' ? at + 4 * Math.max(intervalMs, resendDelayMs) : resolvedAt;
      });
      expect(messagesOf(lived).map(({ endsAt }) => endsAt)).toEqual(expected);
    });
  });

  it('35. generatorURL is a URL', async () => {
    const [message] = messagesOf(await live({ ...lasting(30_000, MINUTE, 0), values: [1] }));
    const url = message && encodeAlert(outgoingOf(message, 'http://engine:8000')).generatorURL;
    expect(URL.canParse(url ?? '')).toBe(true);
  });
});
