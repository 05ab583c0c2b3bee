import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ActiveAlert } from '../../../engine/rules/status.ts';
import { openSqliteStore } from '../../../engine/store/sqlite.ts';
import type { Store } from '../../../engine/store/store.ts';
import { groups, ruleEngine, SLOT } from './rule-engine.ts';

const ALERTS = 10_000;
const INTERVAL_MS = 15_000;
const never = new AbortController().signal;

const RULES = groups(`
groups:
  - name: g
    interval: 15s
    rules:
      - alert: Hot
        expr: temperature > 85
        labels: { severity: critical, node: '{{ $labels.Hostname }}' }
        annotations: { summary: 'GPU {{ $labels.gpu }} on {{ $labels.Hostname }} is at {{ $value }} °C' }
`);

/** A real store that counts the records it is given, and keeps no transaction larger than the limit. */
function countingStore(): { store: Store; counts: { records: number; largest: number } } {
  const directory = mkdtempSync(join(tmpdir(), 'gpu-uptime-alerts-'));
  const { store } = openSqliteStore(join(directory, 'engine.db'));
  const counts = { records: 0, largest: 0 };
  onTestFinished(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });
  const write: Store['write'] = (kind, change) => {
    const size = (change.put ?? []).length + (change.remove ?? []).length;
    counts.records += size;
    counts.largest = Math.max(counts.largest, size);
    return store.write(kind, change);
  };
  return { store: { ...store, write }, counts };
}

/** How often others had their turn while `work` went on. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  await done;
  return turns;
}

it('ten thousand alerts are saved once, not at every evaluation, and others have their turn meanwhile', async () => {
  const { store, counts } = countingStore();
  const engine = ruleEngine({ store: store as never });
  let change = 0;
  engine.prometheus.answers.set('temperature > 85', () =>
    Array.from({ length: ALERTS }, (_, index) => ({
      labels: { gpu: String(index % 8), Hostname: `gpu-node-${index >> 3}`, UUID: `GPU-${index}` },
      value: index < change ? 91 : 90,
    })),
  );
  const [run] = await engine.evaluator.load(RULES);
  const evaluate = async (index: number) => {
    counts.records = 0;
    engine.clock.set(SLOT + index * INTERVAL_MS);
    const turns = await turnsDuring(run?.evaluateAt(engine.clock.now(), never) ?? Promise.resolve());
    return { records: counts.records, turns };
  };
  const first = await evaluate(0);
  // Every alert, and the rule.
  expect(first.records).toBe(ALERTS + 1);
  expect(first.turns).toBeGreaterThan(80);
  // When each was sent is saved with the next evaluation.
  expect((await evaluate(1)).records).toBe(ALERTS + 1);
  expect((await evaluate(2)).records).toBe(1);
  change = 7;
  expect((await evaluate(3)).records).toBe(1 + 7);
  expect(counts.largest).toBeLessThanOrEqual(250);
  expect(engine.sent).toHaveLength(ALERTS);
  const again = ruleEngine({ store: store as never, clock: engine.clock });
  await again.evaluator.load(RULES);
  const byFingerprint = (a: ActiveAlert, b: ActiveAlert) => (a.fingerprint < b.fingerprint ? -1 : 1);
  const [found, expected] = [again, engine].map(({ evaluator }) => evaluator.activeAlerts().toSorted(byFingerprint));
  expect(found).toEqual(expected);
}, 120_000);
