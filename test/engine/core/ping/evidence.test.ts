import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divergenceOf, uptimeAtBest, weighEvidence } from '../../../../engine/core/ping/evidence.ts';
import { spanOf } from '../../../../engine/core/ping/judge.ts';
import type { UptimeClaim } from '../../../../engine/core/ping/outcome.ts';
import { initialPingState } from '../../../../engine/core/ping/step.ts';
import { MINUTE } from '../fixtures.ts';
import { claim, NOON_MS, pingPolicy, play, UNREACHABLE, UP } from './fixtures.ts';

const SPAN = { fromMs: NOON_MS, toMs: NOON_MS + 15 * MINUTE };

function weigh(evidence: 'agent' | 'prometheus' | 'both', claimed?: UptimeClaim, observed?: UptimeClaim) {
  return weighEvidence(pingPolicy({ evidence }), { claimed, observed, ...SPAN }).uptime;
}

describe('weighEvidence', () => {
  it.each([
    ['both: the claim is lower', 'both', claim(0.8), claim(0.9), 0.8],
    ['both: what was seen is lower', 'both', claim(0.9), claim(0.8), 0.8],
    ['both: only the agent knows', 'both', claim(0.9), claim(0.1, 0.49), 0.9],
    ['both: only Prometheus knows', 'both', claim(undefined), claim(0.8), 0.8],
    ['both: coverage of exactly the minimum is enough', 'both', claim(1), claim(0.7, 0.5), 0.7],
    ['both: a claim of little watching counts what was not watched already', 'both', claim(0.1, 0.1), claim(1), 0.1],
    ['both: an agent that watched nothing has proven nothing', 'both', claim(0, 0), claim(1), 0],
    ['both: nobody knows', 'both', claim(undefined), claim(1, 0.49), undefined],
    ['agent: Prometheus is not heard', 'agent', claim(0.9), claim(0.1), 0.9],
    ['agent: without a claim', 'agent', undefined, claim(1), undefined],
    ['prometheus: the agent is not heard', 'prometheus', claim(0.1), claim(0.9), 0.9],
    ['prometheus: without data', 'prometheus', claim(1), claim(undefined), undefined],
    ['a number beyond 100 % is 100 %', 'both', claim(1.01), undefined, 1],
    ['what is no number is no word', 'both', claim(Number.NaN), claim(0.5), 0.5],
  ] as const)('%s', (_, evidence, claimed, observed, expected) => {
    expect(weigh(evidence, claimed, observed)).toBe(expected);
  });

  it('never counts Prometheus when it watched nothing, whatever the least coverage', () => {
    const evidence = { claimed: undefined, observed: claim(1, 0), ...SPAN };
    expect(weighEvidence(pingPolicy({ minCoverage: 0 }), evidence).uptime).toBeUndefined();
  });
});

describe('divergenceOf', () => {
  it.each([
    ['an agent that claims more than was seen', claim(0.999), claim(0.952), 0.047],
    ['one that admits more', claim(0.9), claim(1), -0.1],
    ['an agent that hardly watched', claim(0.1, 0.1), claim(1), -0.9],
    ['a Prometheus that hardly watched', claim(1), claim(0.1, 0.2), undefined],
    ['an agent that knows nothing', claim(undefined), claim(1), undefined],
  ])('%s', (_, claimed, observed, expected) => {
    // Whosever word counts, the difference is worth an alert.
    for (const evidence of ['agent', 'prometheus', 'both'] as const) {
      const divergence = divergenceOf(pingPolicy({ evidence }), { claimed, observed, ...SPAN });
      if (expected === undefined) expect(divergence).toBeUndefined();
      else expect(divergence).toBeCloseTo(expected, 12);
    }
  });
});

describe('uptimeAtBest', () => {
  it.each([
    ['without an outage', 0.9, 0, 0.9],
    ['an outage that explains half of it', 0.8, 100, 0.8 / 0.9],
    ['an outage that explains it all', 0.9, 100, 1],
    ['an outage that explains more than there is', 0.9, 500, 1],
    ['an outage of the whole span', 0.9, 1000, undefined],
  ])('%s', (_, uptime, outageMs, expected) => {
    const best = uptimeAtBest(uptime, 1000, outageMs);
    if (expected === undefined) expect(best).toBeUndefined();
    else expect(best).toBeCloseTo(expected, 12);
  });

  it('never lowers an uptime', () => {
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(ratio, fc.nat(2000), (uptime, outageMs) => {
        expect(uptimeAtBest(uptime, 1000, outageMs) ?? 1).toBeGreaterThanOrEqual(uptime);
      }),
    );
  });
});

describe('spanOf', () => {
  const from = initialPingState(pingPolicy(), NOON_MS);

  it('begins with the last answer, and is nothing before the first', () => {
    const { state } = play(pingPolicy(), [UP, UNREACHABLE]);
    expect(spanOf(pingPolicy(), from, NOON_MS + MINUTE)).toBeUndefined();
    expect(spanOf(pingPolicy(), state, NOON_MS + MINUTE)).toEqual({ fromMs: NOON_MS, toMs: NOON_MS + MINUTE });
    expect(spanOf(pingPolicy(), state, NOON_MS)).toBeUndefined();
  });

  it('begins with the registration where first pings are judged', () => {
    const judged = pingPolicy({ firstPingGracePeriod: false });
    expect(spanOf(judged, from, NOON_MS + MINUTE)).toEqual({ fromMs: NOON_MS, toMs: NOON_MS + MINUTE });
  });
});
