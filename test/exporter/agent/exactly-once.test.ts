/**
 * Whatever replies are lost, whoever else asks and however often the agent is killed: every check reaches every reader with a
 * cursor exactly once, and whoever asks without one is told of all of them.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventLine, historyLine, restore } from '../../../exporter/agent/checkpoint-lines.ts';
import { emptyHistory, type History, type HistoryEvent, step } from '../../../exporter/agent/history.ts';
import type { Finding } from '../../../exporter/agent/span.ts';
import { type Cursor, resolvedSince, type UptimeReport, uptimeReport } from '../../../exporter/agent/uptime-report.ts';

type Action =
  | { readonly kind: 'check'; readonly gpus: number; readonly afterMs: number }
  | { readonly kind: 'ask'; readonly reader: number; readonly isDelivered: boolean }
  | { readonly kind: 'plain' }
  | { readonly kind: 'stranger'; readonly boot: number; readonly since: number }
  | { readonly kind: 'compact' }
  | { readonly kind: 'kill'; readonly lostLines: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('check' as const),
      gpus: fc.integer({ min: 6, max: 8 }),
      afterMs: fc.oneof(fc.integer({ min: 4000, max: 7500 }), fc.integer({ min: 1, max: 90_000 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('ask' as const), reader: fc.nat(1), isDelivered: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('plain' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('stranger' as const),
      boot: fc.integer({ min: 1, max: 4 }),
      since: fc.nat(40),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), lostLines: fc.nat(3) }) },
);

interface MadeCheck {
  readonly name: number;
  readonly isAvailable: boolean;
  readonly atMs: number;
}

/** The agent without its clock and disk, and beside it a list of what really happened. */
class World {
  readonly maxSpans: number;
  readonly readers = [
    { cursor: undefined as Cursor | undefined, seen: new Set<number>() },
    { cursor: undefined as Cursor | undefined, seen: new Set<number>() },
  ];
  history: History = emptyHistory;
  /** What the file holds. */
  file = '';
  /** What the history must know, in order: index + 1 is the number of the check. */
  known: MadeCheck[] = [];
  steadyMs = 0;
  boots = 0;
  made = 0;

  constructor(maxSpans: number) {
    this.maxSpans = maxSpans;
    this.start();
  }

  /** The name of a boot is on disk before anybody hears it. */
  start(): void {
    this.boots += 1;
    this.record({ kind: 'start', bootId: `boot-${this.boots}`, intervalMs: 5000 });
    this.compact();
  }

  record(event: HistoryEvent): void {
    const next = step(this.history, event, this.maxSpans);
    if (next !== this.history) this.file += eventLine(event);
    this.history = next;
  }

  check(gpus: number, afterMs: number): void {
    this.steadyMs += afterMs;
    this.made += 1;
    const finding: Finding = { available: gpus === 8, gpus, reason: gpus === 8 ? undefined : `${gpus} of 8` };
    const moment = { wallMs: this.steadyMs, steadyMs: this.steadyMs, epoch: 'machine-1' };
    this.record({ kind: 'check', seq: this.history.seq + 1, ...moment, ...finding });
    this.known.push({ name: this.made, isAvailable: gpus === 8, atMs: this.steadyMs });
  }

  ask(index: number, isDelivered: boolean): void {
    const reader = this.readers[index];
    if (reader === undefined) throw new Error('there are two readers');
    const { cursor } = reader;
    const report = this.ping(cursor);
    const fresh = this.known.filter(({ name }) => !reader.seen.has(name));
    expect(report.continuity).toBe('complete');
    expect([report.totals.checks, report.totals.availableChecks]).toEqual([
      fresh.length,
      fresh.filter(({ isAvailable }) => isAvailable).length,
    ]);
    const { availableMs, unavailableMs, gapMs } = report.totals;
    expect(availableMs + unavailableMs + gapMs).toBe(this.timeOf(report.seq) - this.timeOf(report.since));
    if (!isDelivered) return;
    reader.cursor = { bootId: report.bootId, since: report.seq };
    for (const { name } of fresh) reader.seen.add(name);
  }

  timeOf(seq: number): number {
    return this.known[Math.max(0, seq - 1)]?.atMs ?? 0;
  }

  plain(): void {
    const { since, totals, firstCheckMs, continuity } = this.ping(undefined);
    const { checks, availableChecks, availableMs, unavailableMs, gapMs } = totals;
    expect({
      since,
      checks,
      availableChecks,
      ms: availableMs + unavailableMs + gapMs,
      firstCheckMs,
      continuity,
    }).toEqual({
      since: 0,
      checks: this.known.length,
      availableChecks: this.known.filter(({ isAvailable }) => isAvailable).length,
      ms: this.timeOf(this.known.length) - this.timeOf(1),
      firstCheckMs: this.known[0]?.atMs,
      continuity: 'complete',
    });
  }

  /** Somebody tries numbers; some of them were given to a reader. */
  stranger(boot: number, since: number): void {
    this.ping({ bootId: `boot-${boot}`, since });
  }

  ping(cursor: Cursor | undefined): UptimeReport {
    const report = uptimeReport(this.history, cursor);
    const since = cursor === undefined ? undefined : resolvedSince(this.history, cursor);
    this.record({ kind: 'ping', seq: report.seq, since });
    return report;
  }

  compact(): void {
    this.file = historyLine('agent', this.history);
  }

  /** The process dies while it writes: at most the last check, and pings around it, never reach the file whole. */
  kill(lostLines: number): void {
    const lines = this.file.split('\n').slice(0, -1);
    const lastCheck = Math.max(
      0,
      lines.findLastIndex((line) => line.startsWith('{"kind":"check"')),
    );
    const end = Math.max(lastCheck, lines.length - lostLines);
    if (lines.slice(end).some((line) => line.startsWith('{"kind":"check"'))) this.known.pop();
    const torn = lines[end]?.slice(0, 20) ?? '';
    const text =
      lines
        .slice(0, Math.max(1, end))
        .map((line) => `${line}\n`)
        .join('') + torn;
    const { history, damagedLines } = restore(text, 'agent', this.maxSpans);
    expect([history.seq, damagedLines]).toEqual([this.known.length, 0]);
    this.history = history;
    this.start();
  }
}

function worldAfter(actions: readonly Action[], maxSpans: number): World {
  const world = new World(maxSpans);
  for (const given of actions) {
    if (given.kind === 'check') world.check(given.gpus, given.afterMs);
    else if (given.kind === 'ask') world.ask(given.reader, given.isDelivered);
    else if (given.kind === 'stranger') world.stranger(given.boot, given.since);
    else if (given.kind === 'kill') world.kill(given.lostLines);
    else world[given.kind]();
  }
  return world;
}

describe('the entries of a history', () => {
  it('give each reader every check and millisecond exactly once, and plain callers all of them', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (actions, maxSpans) => {
        const world = worldAfter(actions, maxSpans);
        world.ask(0, true);
        world.ask(1, true);
        world.plain();
      }),
      { numRuns: 2000 },
    );
  });

  it('stay bounded in number, however seldom anybody asks', () => {
    fc.assert(
      fc.property(
        fc.array(action, { minLength: 40, maxLength: 200 }),
        fc.integer({ min: 1, max: 8 }),
        (actions, max) => {
          const { history } = worldAfter(actions, max);
          expect(history.spans.length).toBeLessThanOrEqual(Math.max(max, history.marks.length + 1));
        },
      ),
      { numRuns: 300 },
    );
  });
});
