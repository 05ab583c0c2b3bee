import { describe, expect, it } from 'vitest';
import type { Alert, RuleState } from '../../../engine/core/alert.ts';
import { AlertJournal } from '../../../engine/rules/alert-journal.ts';
import { readSaved } from '../../../engine/rules/saved-state.ts';
import { MemoryStore } from './memory-store.ts';
import { HOT } from './rule-engine.ts';

/** More than fit into one transaction. */
const MANY = 600;

function stateAt(at: number, count: number): RuleState {
  const alerts = Array.from(
    { length: count },
    (_, index): Alert => ({
      state: 'firing',
      key: `{"gpu":"${index}"}`,
      labels: { gpu: String(index) },
      annotations: {},
      value: at,
      activeAt: 0,
      firedAt: 0,
    }),
  );
  return { alerts, confirmedAt: at, evaluatedAt: at };
}

describe('AlertJournal: save', () => {
  it('leaves the last of several states that are saved at once', async () => {
    const store = new MemoryStore();
    const [rule] = HOT.flatMap(({ rules }) => rules);
    if (rule?.kind !== 'alerting') throw new Error('no alerting rule');
    const journal = new AlertJournal(store, rule, { alerts: [] });
    const last = stateAt(3, MANY / 2);
    await Promise.all([stateAt(1, MANY), stateAt(2, MANY), last].map((state) => journal.save(state)));
    const [saved] = readSaved(await store.list('alert'));
    expect(saved).toEqual({ id: rule.id, rule: expect.anything(), state: last, unreadable: [] });
    expect(journal.saved()).toEqual(last);
  });

  it('saves after one that failed what that one did not', async () => {
    const store = new MemoryStore();
    const [rule] = HOT.flatMap(({ rules }) => rules);
    if (rule?.kind !== 'alerting') throw new Error('no alerting rule');
    const journal = new AlertJournal(store, rule, { alerts: [] });
    store.failure = new Error('disk full');
    await expect(journal.save(stateAt(1, 3))).rejects.toThrow('disk full');
    store.failure = undefined;
    await journal.save(stateAt(2, 3));
    expect(readSaved(await store.list('alert'))[0]?.state).toEqual(stateAt(2, 3));
  });
});
