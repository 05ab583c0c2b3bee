import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hear, type MaintenanceSpan, refusalOf, type Silence } from '../../../engine/core/maintenance-span.ts';
import { policy } from './fixtures.ts';
import { atTick, maintenancePolicy, matcher, silence, span, TICK_MS } from './silences.ts';

const POLICY = policy({ maintenance: maintenancePolicy() });

function heard(known: readonly MaintenanceSpan[], said: Silence, openFromTick: number | undefined) {
  const openFromMs = openFromTick === undefined ? undefined : atTick(openFromTick);
  return hear(known, said, { policy: POLICY, nowMs: openFromMs ?? atTick(0), openFromMs });
}

/** From and to in ticks, by id. */
function ticks(spans: readonly MaintenanceSpan[]): Record<string, readonly number[]> {
  return Object.fromEntries(
    spans.map(({ id, fromMs, toMs }) => [id, [fromMs, toMs].map((ms) => (ms - atTick(0)) / TICK_MS)]),
  );
}

describe('hear: a silence that is new', () => {
  it('becomes a span with everything that it says', () => {
    expect(heard([], silence(), 1)).toEqual([{ ...span(10, 20), firstSeenMs: atTick(1) }]);
  });

  it.each<[string, Partial<Silence>, number | undefined, Record<string, readonly number[]>]>([
    ['begins as planned when it was announced', {}, 5, { 's1.0': [10, 20] }],
    ['begins a notice after it was made', { startsAtMs: atTick(0) }, 1, { 's1.0': [3, 20] }],
    [
      'begins a notice after it was changed, however early it says it starts',
      { startsAtMs: atTick(-500) },
      1,
      { 's1.0': [3, 20] },
    ],
    ['never begins before what has been judged', { startsAtMs: atTick(0) }, 8, { 's1.0': [8, 20] }],
    [
      'begins where it was declared when no tick has been judged',
      { startsAtMs: atTick(0) },
      undefined,
      { 's1.0': [3, 20] },
    ],
    ['is nothing when it was over before it was heard of', {}, 20, {}],
    ['is nothing when it was made too late', { updatedAtMs: atTick(17) }, 1, {}],
    ['is nothing when nothing declares it', { comment: 'muting a noisy fan' }, 1, {}],
    ['is nothing when it names no node', { matchers: [matcher('alertname=x')] }, 1, {}],
    ['may be declared in capitals', { comment: ' Maintenance: fans' }, 1, { 's1.0': [10, 20] }],
  ])('%s', (_, change, openFromTick, expected) => {
    expect(ticks(heard([], silence(change), openFromTick))).toEqual(expected);
  });
});

describe('hear: a silence that is known', () => {
  const changedAt = (tick: number, change: Partial<Silence>) => silence({ ...change, updatedAtMs: atTick(tick) });

  it.each<[string, MaintenanceSpan, Silence, number, Record<string, readonly number[]>]>([
    ['that says nothing new changes nothing', span(10, 20), silence(), 12, {}],
    ['is extended forward', span(10, 20), changedAt(15, { endsAtMs: atTick(30) }), 16, { 's1.0': [10, 30] }],
    [
      'that was extended too late goes on after a gap',
      span(10, 20),
      changedAt(19, { endsAtMs: atTick(30) }),
      20,
      { 's1.1': [22, 30] },
    ],
    [
      'that was extended while nobody answered goes on after what has been judged',
      span(10, 20),
      changedAt(15, { endsAtMs: atTick(40) }),
      33,
      { 's1.1': [33, 40] },
    ],
    [
      'that expires early ends a notice later',
      span(10, 20),
      changedAt(13, { endsAtMs: atTick(13) }),
      14,
      { 's1.0': [10, 16] },
    ],
    [
      'that expired while nobody answered ends with what has been judged',
      span(10, 20),
      changedAt(11, { endsAtMs: atTick(11) }),
      18,
      { 's1.0': [10, 18] },
    ],
    ['that expired is not expired again', span(10, 16), changedAt(13, { endsAtMs: atTick(13) }), 18, {}],
    [
      'that is no longer declared ends',
      span(10, 20),
      changedAt(12, { comment: 'just noise' }),
      13,
      { 's1.0': [10, 15] },
    ],
    [
      'that has not begun is moved later',
      span(10, 20),
      changedAt(2, { startsAtMs: atTick(14) }),
      3,
      { 's1.0': [14, 20] },
    ],
    [
      'that has not begun is moved earlier',
      span(10, 20),
      changedAt(2, { startsAtMs: atTick(4) }),
      3,
      { 's1.0': [5, 20] },
    ],
    [
      'that has not begun is called off',
      span(10, 20),
      changedAt(2, { startsAtMs: atTick(2), endsAtMs: atTick(2) }),
      3,
      { 's1.0': [5, 5] },
    ],
    [
      'whose comment alone changes keeps its start',
      span(10, 20),
      changedAt(9, { comment: 'maintenance: and disks' }),
      9,
      { 's1.0': [10, 20] },
    ],
    ['that has begun cannot be made to begin earlier', span(10, 20), changedAt(12, { startsAtMs: atTick(1) }), 13, {}],
    [
      'that comes to be about another node ends, and begins there',
      span(10, 20),
      changedAt(12, { matchers: [matcher('instance=b')] }),
      13,
      { 's1.0': [10, 15], 's1.1': [15, 20] },
    ],
  ])('%s', (_, known, said, openFromTick, expected) => {
    expect(ticks(heard([known], said, openFromTick))).toEqual(expected);
  });

  it('is the same however often it is heard', () => {
    fc.assert(
      fc.property(sayings(), fc.integer({ min: 0, max: 40 }), (said, tick) => {
        const once = applied([], said, tick);
        expect(applied(once, said, tick)).toEqual(once);
      }),
    );
  });

  it('never changes a tick that has been judged', () => {
    const steps = fc.array(fc.record({ said: sayings(), wait: fc.integer({ min: 0, max: 5 }) }), { maxLength: 12 });
    fc.assert(
      fc.property(steps, (heardInTurn) => {
        let spans: readonly MaintenanceSpan[] = [];
        let openFrom = 1;
        for (const { said, wait } of heardInTurn) {
          const before = coveredTicks(spans, openFrom);
          spans = applied(spans, said, openFrom);
          expect(coveredTicks(spans, openFrom)).toEqual(before);
          openFrom += wait;
        }
      }),
    );
  });
});

/** What any Alertmanager may say, the lying ones included. */
function sayings(): fc.Arbitrary<Silence> {
  const tick = fc.integer({ min: -20, max: 60 }).map(atTick);
  return fc
    .record({
      startsAtMs: tick,
      endsAtMs: tick,
      updatedAtMs: tick,
      comment: fc.constantFrom('maintenance: fans', 'maintenance: disks', 'noise'),
      matchers: fc.constantFrom([matcher('instance=a')], [matcher('instance=b')], [matcher('instance=~.*')]),
      createdBy: fc.constantFrom('sre', 'owner'),
    })
    .map(silence);
}

function applied(known: readonly MaintenanceSpan[], said: Silence, openFromTick: number): readonly MaintenanceSpan[] {
  const changes = heard(known, said, openFromTick);
  const byId = new Map([...known, ...changes].map((one) => [one.id, one]));
  return [...byId.values()];
}

/** Which ticks before `until` are covered, and for which nodes. */
function coveredTicks(spans: readonly MaintenanceSpan[], until: number): readonly string[] {
  const covered = spans.flatMap(({ fromMs, toMs, matchers }) =>
    Array.from({ length: until + 30 }, (_, i) => atTick(i - 30))
      .filter((ms) => ms < atTick(until) && fromMs <= ms && ms < toMs)
      .map((ms) => `${matchers[0]?.value} ${ms}`),
  );
  return covered.sort();
}

describe('refusalOf', () => {
  it.each([
    ['a policy without maintenance', policy(), 'the policy grants no maintenance; set maintenance.budget'],
    [
      'another creator',
      policy({ maintenance: maintenancePolicy({ creators: ['boss'] }) }),
      'maintenance.creators does not list sre',
    ],
    ['a listed creator', policy({ maintenance: maintenancePolicy({ creators: ['boss', 'sre'] }) }), undefined],
    [
      'a prefix that nobody can write',
      policy({ maintenance: maintenancePolicy({ commentPrefix: '' }) }),
      'nothing declares it as maintenance',
    ],
  ])('says why of %s', (_, given, reason) => {
    expect(refusalOf(given, silence())).toBe(reason);
  });

  it('takes the matcher of the policy for a declaration', () => {
    const given = policy({ maintenance: maintenancePolicy({ commentPrefix: '', matcher: matcher('planned=~yes|') }) });
    const said = silence({ comment: 'fans', matchers: [matcher('instance=a'), matcher('planned=~yes|')] });
    expect(refusalOf(given, said)).toBeUndefined();
  });
});
