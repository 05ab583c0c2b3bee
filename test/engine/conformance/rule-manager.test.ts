/**
 * The engine beside the rule manager of a real Prometheus, in real time: the same rule file, the same samples, and at each
 * stage of the story the same rules, alerts, texts and series, and in the end the same messages.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { WrittenSample } from '../../../engine/prometheus/series-writer.ts';
import { storiesOf } from './received-stories.ts';
import { INTERVAL_MS, openSides, type Side, type Sides } from './rule-managers.ts';
import { beginnings, failingRules, groupsAt, shownAlerts, timeless } from './rules-answer.ts';

const RULES = readFileSync(join(import.meta.dirname, 'rule-manager-rules.yml'), 'utf8');
const FEED_EVERY_MS = 250;
/** Two evaluations that may lie an interval apart, and a busy machine. */
const APART_MS = INTERVAL_MS + 1000;
const never = new AbortController().signal;

interface Chapter {
  /** Of GPU 0 and GPU 1. */
  readonly celsius: readonly WrittenSample['value'][];
  /** Alerts that both must come to show. */
  readonly alerts: readonly string[];
  /** Rules that fail. */
  readonly failing?: readonly string[];
}

const HOT_0 = ['Hot 0 firing', 'OnlyOne 0 firing', 'Same all firing', 'Slow 0 firing'];
const STORY: readonly Chapter[] = [
  { celsius: [50, 50], alerts: [] },
  { celsius: [91, 50], alerts: HOT_0 },
  {
    celsius: [91, 95],
    alerts: [
      'Both - firing',
      'Hot 0 firing',
      'Hot 1 firing',
      'Kept 1 firing',
      'Same all firing',
      'Slow 0 firing',
      'Slow 1 firing',
    ],
    failing: ['OnlyOne', 'Same'],
  },
  {
    celsius: ['stale', 92.5],
    alerts: ['Hot 1 firing', 'Kept 1 firing', 'OnlyOne 1 firing', 'Same all firing', 'Slow 1 firing'],
  },
  { celsius: [50, 50], alerts: ['Kept 1 firing'] },
  { celsius: [91, 50], alerts: [...HOT_0, 'Kept 1 firing'] },
];

/** Series as text; `since` is apart because two evaluations may lie an interval apart. */
async function seriesOf({ query }: Side, atMs: number) {
  const ask = async (expr: string) =>
    (await query.instant(expr, atMs, never))
      .map(({ labels, value }) => ({ text: JSON.stringify(Object.entries(labels).sort()), value }))
      .sort((a, b) => (a.text < b.text ? -1 : 1));
  const [alerts, recorded, since] = await Promise.all(['ALERTS', 'gpu:temperature:max', 'ALERTS_FOR_STATE'].map(ask));
  return {
    alerts,
    recorded,
    sinceOf: since?.map(({ text }) => text),
    since: since?.map(({ value }) => value * 1000) ?? [],
  };
}

function expectNear(some: readonly number[], others: readonly number[]): void {
  expect(others.length).toBe(some.length);
  const furthest = Math.max(0, ...some.map((value, index) => Math.abs(value - (others[index] ?? 0))));
  expect(furthest).toBeLessThanOrEqual(APART_MS);
}

/** Feeds both until `isOver`. */
async function feed(sides: Sides, celsius: Chapter['celsius'], isOver: () => boolean): Promise<void> {
  let written: readonly WrittenSample['value'][] = celsius;
  while (!isOver()) {
    const atMs = Date.now();
    const series = written.flatMap((value, gpu) =>
      Number.isNaN(value)
        ? []
        : [{ labels: { __name__: 'temperature', gpu: String(gpu) }, samples: [{ atMs, value }] }],
    );
    await sides.feed(series);
    // A series that has ended stays so.
    written = written.map((value) => (value === 'stale' ? Number.NaN : value));
    await delay(FEED_EVERY_MS);
  }
}

async function expectSame(sides: Sides, { alerts: shown, failing = [] }: Chapter): Promise<void> {
  const [prometheus, engine] = await Promise.all([groupsAt(sides.prometheus.url), groupsAt(sides.engine.url)]);
  const [alerts, failed] = [shown.toSorted(), [...failing, 'ManyToMany'].sort()];
  expect([shownAlerts(prometheus), failingRules(prometheus)]).toEqual([alerts, failed]);
  expect([shownAlerts(engine), failingRules(engine)]).toEqual([alerts, failed]);
  expect(timeless(engine)).toEqual(timeless(prometheus));
  expectNear(beginnings(prometheus), beginnings(engine));
  const atMs = Date.now();
  const [first, second] = await Promise.all([seriesOf(sides.prometheus, atMs), seriesOf(sides.engine, atMs)]);
  expect({ ...second, since: [] }).toEqual({ ...first, since: [] });
  expectNear(first.since, second.since);
}

describe('a real Prometheus’ rule manager and the engine', () => {
  it('tell the same story of the same rules and samples, and send the same messages', {
    timeout: 120_000,
  }, async (context) => {
    const sides = await openSides(context, RULES);
    // Prometheus writes no ALERTS before its second evaluation.
    for (const { query } of [sides.prometheus, sides.engine]) {
      await vi.waitFor(async () => expect(await query.instant('ALERTS', Date.now(), never)).toHaveLength(1), 20_000);
    }
    for (const chapter of STORY) {
      let isOver = false;
      const feeding = feed(sides, chapter.celsius, () => isOver);
      try {
        await vi.waitFor(() => expectSame(sides, chapter), { timeout: 15_000, interval: 200 });
        // Long enough to send everything again at least once.
        await delay(2500);
        await expectSame(sides, chapter);
      } finally {
        isOver = true;
        await feeding;
      }
    }
    const [first, second] = [storiesOf(sides.prometheus.received), storiesOf(sides.engine.received)];
    expect(second.map(({ what }) => what)).toEqual(first.map(({ what }) => what));
    expectNear(
      first.flatMap(({ instants }) => instants),
      second.flatMap(({ instants }) => instants),
    );
    expectNear(
      first.flatMap(({ lasting }) => lasting),
      second.flatMap(({ lasting }) => lasting),
    );
  });
});
