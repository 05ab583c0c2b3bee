import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Alert,
  type AlertElement,
  type AlertRule,
  alertLabels,
  type Evaluation,
  NEW_RULE_STATE,
  type RuleState,
  step,
} from '../../../engine/core/alert.ts';

const MINUTE = 60_000;

function rule(overrides: Partial<AlertRule> = {}): AlertRule {
  return {
    name: 'Hot',
    expr: 'temperature > 85',
    forMs: 0,
    keepFiringForMs: 0,
    limit: 0,
    ...overrides,
  };
}

const hot = (value = 90, labels: Record<string, string> = { gpu: '3' }): AlertElement => ({
  labels: { ...labels, alertname: 'Hot' },
  annotations: { summary: `${value} °C` },
  value,
});

const QUERY_FAILED = { failed: 'Prometheus did not answer' } as const;

function replay(of: AlertRule, evaluations: readonly Evaluation[], from: RuleState = NEW_RULE_STATE): RuleState {
  return evaluations.reduce((state, evaluation) => step(of, state, evaluation).state, from);
}

/** One character per evaluation, a minute apart: `!` hot, `.` not, `?` the query fails. */
function minutes(pattern: string, start = 0): Evaluation[] {
  const results = { '!': [hot()], '.': [], '?': QUERY_FAILED };
  return [...pattern].map((mark, index) => ({
    at: (start + index) * MINUTE,
    result: results[mark as keyof typeof results],
  }));
}

/** The only alert's states, one character per evaluation: `p`ending, `F`iring, `r`esolved, `-` none. */
function states(of: AlertRule, pattern: string): string {
  let state = NEW_RULE_STATE;
  return minutes(pattern)
    .map((evaluation) => {
      state = step(of, state, evaluation).state;
      return { pending: 'p', firing: 'F', inactive: 'r', none: '-' }[state.alerts[0]?.state ?? 'none'];
    })
    .join('');
}

describe('step: the life of an alert', () => {
  it.each([
    ['14-16: pending until the whole `for` has passed, then firing', { forMs: 2 * MINUTE }, '!!!!', 'ppFF'],
    ['17: fires on creation without `for`', {}, '!!', 'FF'],
    ['18: fires at the next evaluation when `for` is shorter than the interval', { forMs: 1000 }, '!!', 'pF'],
    ['20: a pending alert that is gone leaves nothing', { forMs: 2 * MINUTE }, '!!.!', 'pp-p'],
    ['20: a firing alert that is gone is resolved at once', {}, '!!..', 'FFrr'],
    ['21: the same labels later are a new alert', { forMs: 2 * MINUTE }, '!!!.!!!', 'ppFrppF'],
    ['keep_firing_for: fires on until it has passed', { keepFiringForMs: 2 * MINUTE }, '!....', 'FFFrr'],
    ['keep_firing_for: starts over with every hit', { keepFiringForMs: 2 * MINUTE }, '!..!...', 'FFFFFFr'],
    ['keep_firing_for: does not keep a pending alert', { forMs: MINUTE, keepFiringForMs: MINUTE }, '!.', 'p-'],
    ['a failed query keeps a pending alert, and time counts', { forMs: 2 * MINUTE }, '!??!', 'pppF'],
    ['a failed query never resolves', {}, '!????', 'FFFFF'],
    ['a failed query starts nothing', {}, '??', '--'],
    ['a failed query does not use up keep_firing_for', { keepFiringForMs: 2 * MINUTE }, '!.?!..', 'FFFFFF'],
  ])('%s', (_, overrides, pattern, expected) => {
    expect(states(rule(overrides), pattern)).toBe(expected);
  });

  it('14, 16, 20: takes every time from the evaluation', () => {
    const of = rule({ forMs: MINUTE });
    expect(replay(of, minutes('!!.')).alerts).toEqual([
      expect.objectContaining({ activeAt: 0, firedAt: MINUTE, resolvedAt: 2 * MINUTE, state: 'inactive' }),
    ]);
  });

  it('21: gives the new alert times of its own and forgets the old end', () => {
    const [alert] = replay(rule(), minutes('!.!')).alerts;
    expect(alert).toEqual(expect.objectContaining({ state: 'firing', activeAt: 2 * MINUTE, firedAt: 2 * MINUTE }));
    expect(alert).not.toHaveProperty('resolvedAt');
  });

  it('19: renews value and annotations at every evaluation', () => {
    const of = rule({ forMs: MINUTE });
    const values = [90, 91, 92].map((value, index) => ({ at: index * MINUTE, result: [hot(value)] }));
    const summaries = values.map((_, index) => replay(of, values.slice(0, index + 1)).alerts[0]);
    expect(summaries.map((alert) => [alert?.state, alert?.value, alert?.annotations])).toEqual([
      ['pending', 90, { summary: '90 °C' }],
      ['firing', 91, { summary: '91 °C' }],
      ['firing', 92, { summary: '92 °C' }],
    ]);
  });

  it('forgets a resolved alert after fifteen minutes', () => {
    expect(states(rule(), `!${'.'.repeat(17)}`)).toBe(`F${'r'.repeat(16)}-`);
  });

  it('says what happened, once', () => {
    const of = rule({ forMs: MINUTE });
    let state = NEW_RULE_STATE;
    const kinds = minutes('!!!.!.?').map((evaluation) => {
      const next = step(of, state, evaluation);
      state = next.state;
      return next.events.map((event) => event.kind);
    });
    expect(kinds).toEqual([['pending'], ['firing'], [], ['resolved'], ['pending'], ['cancelled'], ['failed']]);
  });
});

describe('step: what Prometheus does besides', () => {
  const since = (of: AlertRule, evaluations: readonly Evaluation[], from: RuleState) =>
    replay(of, evaluations, from).alerts.map(({ state, activeAt }) => [state, activeAt / MINUTE]);

  it.each([
    ['an alert that is too young for the new `for` waits again, from its ActiveAt', '!!!!!', 4, [['pending', 0]]],
    ['an alert that is old enough fires on', '!!!!!!', 4, [['firing', 0]]],
  ])('a reload that raises `for`: %s', (_, pattern, forMinutes, expected) => {
    const evaluations = minutes(pattern);
    const before = replay(rule(), evaluations.slice(0, 1));
    const raised = rule({ forMs: (forMinutes + 1) * MINUTE });
    expect(since(raised, evaluations.slice(1), before)).toEqual(expected);
  });

  it('a reload that raises `for` forgets that the alert had fired and was sent', () => {
    const [alert] = replay(rule(), minutes('!')).alerts;
    const sent: RuleState = { alerts: [{ ...alert, lastSentAt: 0 } as Alert], confirmedAt: 0 };
    const next = step(rule({ forMs: 5 * MINUTE }), sent, { at: MINUTE, result: [hot()] });
    expect(next.events.map(({ kind }) => kind)).toEqual(['pending']);
    expect(Object.keys(next.state.alerts[0] ?? {}).sort()).toEqual([
      'activeAt',
      'annotations',
      'key',
      'labels',
      'state',
      'value',
    ]);
  });

  it('a raised `for` also reaches an alert that only keep_firing_for keeps, and so ends it', () => {
    const before = replay(rule({ keepFiringForMs: 10 * MINUTE }), minutes('!.'));
    const raised = rule({ forMs: 5 * MINUTE, keepFiringForMs: 10 * MINUTE });
    const waiting = replay(raised, minutes('.', 2), before);
    expect(waiting.alerts.map(({ state }) => state)).toEqual(['pending']);
    expect(replay(raised, minutes('.', 3), waiting).alerts).toEqual([]);
  });

  it('an alert whose past is known from elsewhere goes on from it', () => {
    const of = rule({ forMs: 10 * MINUTE });
    const key = replay(of, minutes('!')).alerts[0]?.key ?? '';
    const activeSince = new Map([[key, 3 * MINUTE]]);
    const first = step(of, NEW_RULE_STATE, { at: 12 * MINUTE, result: [hot()], activeSince });
    expect(first.state.alerts).toEqual([expect.objectContaining({ state: 'pending', activeAt: 3 * MINUTE })]);
    const second = step(of, first.state, { at: 13 * MINUTE, result: [hot()], activeSince });
    expect(second.state.alerts).toEqual([expect.objectContaining({ state: 'firing', firedAt: 13 * MINUTE })]);
  });

  it('keeps the very object of an alert that nothing has happened to', () => {
    const before = replay(rule(), minutes('!'));
    const after = step(rule(), before, { at: MINUTE, result: [hot()] }).state;
    expect(after.alerts[0]).toBe(before.alerts[0]);
    expect(step(rule(), after, { at: 2 * MINUTE, result: [hot(91)] }).state.alerts[0]).not.toBe(after.alerts[0]);
  });
});

describe('step: what is unknown', () => {
  const lost: AlertElement = { labels: { alertname: 'Hot', reason: 'no data' }, annotations: {}, value: Number.NaN };
  const shown = ({ alerts }: RuleState) => alerts.map(({ labels, state }) => [labels.gpu ?? labels.reason, state]);

  it.each([
    ['the query failed', { failed: 'no answer', raised: [lost] }],
    ['there is no data', { noData: true, raised: [lost] }],
  ] as const)(
    '%s: raises an alert of its own beside those that are kept, and ends it when all is known again',
    (_, result) => {
      const before = replay(rule(), minutes('!'));
      const during = step(rule(), before, { at: MINUTE, result }).state;
      expect(shown(during)).toEqual([
        ['3', 'firing'],
        ['no data', 'firing'],
      ]);
      expect(during.confirmedAt).toBe(0);
      expect(shown(step(rule(), during, { at: 2 * MINUTE, result: [hot()] }).state)).toEqual([
        ['3', 'firing'],
        ['no data', 'inactive'],
      ]);
    },
  );

  it('lets the raised alert wait its `for` too', () => {
    const of = rule({ forMs: 2 * MINUTE });
    const evaluations = [0, 1, 2].map((minute) => ({
      at: minute * MINUTE,
      result: { failed: 'no answer', raised: [lost] },
    }));
    expect(evaluations.map((_, index) => shown(replay(of, evaluations.slice(0, index + 1))))).toEqual([
      [['no data', 'pending']],
      [['no data', 'pending']],
      [['no data', 'firing']],
    ]);
  });

  it('keeps everything as it is without data, when nothing is to be raised', () => {
    const before = replay(rule(), minutes('!'));
    const state = { ...before, evaluatedAt: MINUTE };
    expect(step(rule(), before, { at: MINUTE, result: { noData: true } })).toEqual({ state, events: [] });
  });
});

describe('alertLabels', () => {
  const labelsOf = (element: Record<string, string>, own: Record<string, string>) => alertLabels(rule(), element, own);

  it('7, 9, 10: element labels without the name, then the rule’s, then alertname', () => {
    const element = { __name__: 'temperature', gpu: '3', severity: 'mild', alertname: 'Other' };
    expect(labelsOf(element, { severity: 'critical' })).toEqual({ gpu: '3', severity: 'critical', alertname: 'Hot' });
  });

  it('drops a label that expands to nothing, the element’s own included', () => {
    expect(labelsOf({ gpu: '3' }, { gpu: '' })).toEqual({ alertname: 'Hot' });
  });
});

describe('step: labels', () => {
  it('11: knows an alert by its labels, whatever their order', () => {
    const first = replay(rule(), [{ at: 0, result: [hot(90, { a: '1', b: '2' })] }]);
    const second = step(rule(), first, { at: MINUTE, result: [hot(90, { b: '2', a: '1' })] });
    expect(second.state.alerts).toHaveLength(1);
    expect(second.events).toEqual([]);
  });

  it('13: two results with equal labels fail the rule and change nothing', () => {
    const before = replay(rule(), minutes('!'));
    const after = step(rule(), before, { at: MINUTE, result: [hot(90, { other: 'x' }), hot(91, { other: 'x' })] });
    const message =
      'vector contains metrics with the same labelset after applying alert labels: {other="x", alertname="Hot"}';
    expect(after).toEqual({ state: { ...before, evaluatedAt: MINUTE }, events: [{ kind: 'failed', message }] });
  });

  it('a breach of the limit forgets every alert of the rule', () => {
    const result = [hot(90, { gpu: '1' }), hot(90, { gpu: '2' }), hot(90, { gpu: '3' })];
    expect(step(rule({ limit: 2 }), replay(rule(), minutes('!')), { at: MINUTE, result })).toEqual({
      state: { alerts: [], confirmedAt: MINUTE, evaluatedAt: MINUTE },
      events: [{ kind: 'failed', message: 'exceeded limit of 2 with 3 alerts' }],
    });
  });

  it('what keep_firing_for keeps counts against the limit, and what is resolved does not', () => {
    const of = rule({ limit: 1, keepFiringForMs: MINUTE });
    const before = replay(of, minutes('!'));
    const other = { at: MINUTE, result: [hot(90, { gpu: '4' })] };
    expect(step(of, before, other).events.map(({ kind }) => kind)).toEqual(['failed']);
    expect(step(rule({ limit: 1 }), before, other).events.map(({ kind }) => kind)).toEqual(['resolved', 'firing']);
  });
});

const anyRule = fc
  .record({ forS: fc.integer({ min: 0, max: 90 }), keepS: fc.integer({ min: 0, max: 60 }) })
  .map(({ forS, keepS }) => rule({ forMs: forS * 1000, keepFiringForMs: keepS * 1000 }));
const anyResult = fc.oneof(
  { weight: 4, arbitrary: fc.subarray(['0', '1', '2']).map((gpus) => gpus.map((gpu) => hot(90, { gpu }))) },
  { weight: 1, arbitrary: fc.constant(QUERY_FAILED) },
);
const anyHistory = fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), anyResult), { maxLength: 60 }).map((rows) => {
  // An irregular grid, because evaluations are missed.
  const at = (row: number) => rows.slice(0, row + 1).reduce((sum, [gap]) => sum + gap * 1000, 0);
  return rows.map(([, result], row): Evaluation => ({ at: at(row), result }));
});

const isActive = (alert: Alert) => alert.state !== 'inactive';

describe('step: properties', () => {
  it('never fires before `for` has passed since the first evaluation that saw it', () => {
    fc.assert(
      fc.property(anyRule, anyHistory, (of, history) => {
        for (const alert of replay(of, history).alerts) {
          if (alert.state !== 'pending') expect(alert.firedAt - alert.activeAt).toBeGreaterThanOrEqual(of.forMs);
        }
      }),
    );
  });

  it('a failed query changes no alert, and only a usable answer resolves', () => {
    fc.assert(
      fc.property(anyRule, anyHistory, (of, history) => {
        const state = replay(of, history);
        const at = (history.at(-1)?.at ?? 0) + 1;
        expect(step(of, state, { at, result: QUERY_FAILED }).state).toEqual({ ...state, evaluatedAt: at });
      }),
    );
  });

  it('a replay of a prefix, saved as JSON, then of the rest equals a replay of all', () => {
    fc.assert(
      fc.property(anyRule, anyHistory, fc.nat(60), (of, history, cut) => {
        const prefix: RuleState = JSON.parse(JSON.stringify(replay(of, history.slice(0, cut))));
        expect(replay(of, history.slice(cut), prefix)).toEqual(replay(of, history));
      }),
    );
  });

  it('evaluating the same instant twice is evaluating it once', () => {
    fc.assert(
      fc.property(anyRule, anyHistory, (of, history) => {
        const twice = history.flatMap((evaluation) => [evaluation, evaluation]);
        expect(replay(of, twice)).toEqual(replay(of, history));
      }),
    );
  });

  it('after the last result every returned element is active, and every active alert is returned or kept', () => {
    fc.assert(
      fc.property(anyRule, anyHistory, (of, history) => {
        const last = history.at(-1);
        if (last === undefined || !Array.isArray(last.result)) return;
        const seen = (last.result as readonly AlertElement[]).map(({ labels }) => labels.gpu);
        const active = replay(of, history).alerts.filter(isActive);
        expect(active.map(({ labels }) => labels.gpu)).toEqual(expect.arrayContaining(seen));
        if (of.keepFiringForMs === 0) expect(active).toHaveLength(seen.length);
      }),
    );
  });
});
