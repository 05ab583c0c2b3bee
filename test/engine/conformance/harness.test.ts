/**
 * The public conformance harness in virtual time: the same series, rules and verdicts, at many offsets between its samples
 * and the evaluations. Nothing is late here, so the allowances that it makes for slow networks are not made.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { planOf, play, times } from '../core/fixtures.ts';
import { type Serving, serve } from '../http/serving.ts';
import { CASES, type Case, INTERVAL_MS, SAMPLE_MS } from './harness-cases.ts';
import { messageProblems } from './harness-messages.ts';
import { type AlertAnswer, alertProblems, type GroupAnswer, groupProblems, sampleProblems } from './harness-verdict.ts';
import { type HarnessWorld, openHarness } from './harness-world.ts';

/** C5: on the harness' own grid its strict comparisons fail every engine; offsets off the grid are held to them. */
const OFFSETS = [0, 1, 1000, 3700, 7000, 7500, 9999, 12_345, 14_999, 15_000, 15_001, 18_200, 22_500, 26_000, 29_999];

/** The longest case, and the quarter of an hour in which ends are sent again. */
const UNTIL_MS = 134 * SAMPLE_MS + 17 * 60_000;
const CHECK_EVERY_MS = 13_000;
/** Nothing is known before a group has been evaluated twice (C6). */
const SETTLED_MS = 2 * INTERVAL_MS;

const FLEET = play(planOf(), times(3, { 'a/0': 'up' }));
const serving: Serving[] = [];
afterEach(() => Promise.all(serving.splice(0).map((one) => one.close())));

interface Seen {
  readonly atMs: number;
  readonly groups: readonly GroupAnswer[];
  readonly alerts: readonly AlertAnswer[];
}

async function ask<Data>(url: string, path: string): Promise<Data> {
  const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { status: string; data: Data };
  expect(answer.status).toBe('success');
  return answer.data;
}

/** Plays everything and looks at the API every few seconds. */
async function watch(offsetMs: number) {
  const world = await openHarness(offsetMs);
  const { evaluator, clock } = world;
  const one = await serve({
    fleet: FLEET,
    get ruleGroups() {
      return evaluator.groups();
    },
  });
  serving.push(one);
  const seen: Seen[] = [];
  const end = Math.max(...CASES.map(({ group }) => world.zeroOf(group))) + UNTIL_MS;
  while (clock.now() < end) {
    await clock.advance(CHECK_EVERY_MS);
    const { groups } = await ask<{ groups: GroupAnswer[] }>(one.url, 'rules');
    const { alerts } = await ask<{ alerts: AlertAnswer[] }>(one.url, 'alerts');
    seen.push({ atMs: clock.now(), groups, alerts });
  }
  await evaluator.stop();
  return { world, seen };
}

function problemsOf(found: Case, { world, seen }: { readonly world: HarnessWorld; readonly seen: readonly Seen[] }) {
  const zero = world.zeroOf(found.group);
  const isOurs = ({ labels }: AlertAnswer) => labels.rulegroup === found.group;
  return seen.flatMap(({ atMs, groups, alerts }) => {
    const ms = atMs - zero;
    if (ms < SETTLED_MS) return [];
    const group = groups.find(({ name }) => name === found.group);
    const shown = world.series.select('ALERTS', { rulegroup: found.group }, atMs);
    const moment = { ms, zero };
    return [
      ...alertProblems(found, moment, alerts.filter(isOurs)),
      ...sampleProblems(found, moment, shown),
      ...groupProblems(found, moment, group),
    ];
  });
}

describe('the public harness', () => {
  it.each(OFFSETS)('finds nothing wrong with an engine that evaluates %d ms after its samples', async (offsetMs) => {
    const watched = await watch(offsetMs);
    const problems = CASES.map((found) => [found.group, problemsOf(found, watched)]);
    expect(problems).toEqual(CASES.map(({ group }) => [group, []]));
    const { posted, zeroOf } = watched.world;
    const isStrict = offsetMs % SAMPLE_MS !== 0;
    for (const found of CASES) {
      const zero = zeroOf(found.group);
      const ours = posted.filter(({ labels }) => labels.rulegroup === found.group);
      expect([found.group, messageProblems(found, { zero, posted: ours, isStrict })]).toEqual([found.group, []]);
    }
  });
});
