import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heldNodes } from '../../../engine/core/action-guard.ts';
import { MINUTE } from './fixtures.ts';

const GUARD = { maxShare: 0.5, windowMs: 5 * MINUTE, minNodes: 3 };

/** Minutes since which each node has been affected. */
function held(minutes: Readonly<Record<string, number>>, knownNodes = 4) {
  const onsets = new Map(Object.entries(minutes).map(([node, minute]) => [node, minute * MINUTE]));
  return [...heldNodes(GUARD, onsets, knownNodes)].sort();
}

describe('heldNodes', () => {
  it.each<[string, Record<string, number>, number, string[]]>([
    ['half of the nodes at once take effect', { a: 0, b: 0 }, 4, []],
    ['more than half at once are all held', { a: 0, b: 0, c: 0 }, 4, ['a', 'b', 'c']],
    ['those before the rush stay in effect', { a: 0, b: 1, c: 2 }, 4, ['c']],
    ['an old one does not count into the rush', { a: 0, b: 5, c: 5 }, 4, []],
    ['one minute less, and it does', { a: 1, b: 5, c: 5 }, 4, ['b', 'c']],
    ['later ones are held as long as the rush lasts', { a: 0, b: 0, c: 0, d: 60 }, 4, ['a', 'b', 'c', 'd']],
    ['fleets below min_nodes are never held', { a: 0, b: 0 }, 2, []],
  ])('%s', (_, minutes, knownNodes, expected) => {
    expect(held(minutes, knownNodes)).toEqual(expected);
  });

  it('lets go of all of them once no more than the share is affected', () => {
    expect([held({ a: 0, b: 0, c: 0 }), held({ a: 0, b: 0 })]).toEqual([['a', 'b', 'c'], []]);
  });

  it('never lets a rush of more than the share take effect, whatever the order of the onsets', () => {
    const minutes = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(minutes, fc.integer({ min: 3, max: 12 }), (onsets, knownNodes) => {
        const entries = onsets.slice(0, knownNodes).map((minute, n): [string, number] => [`n${n}`, minute * MINUTE]);
        const forward = heldNodes(GUARD, new Map(entries), knownNodes);
        const backward = heldNodes(GUARD, new Map(entries.toReversed()), knownNodes);
        expect([...backward].sort()).toEqual([...forward].sort());
        const free = entries.filter(([node]) => !forward.has(node)).map(([, sinceMs]) => sinceMs);
        for (const at of free) {
          const together = free.filter((since) => since <= at && since > at - GUARD.windowMs).length;
          expect(together).toBeLessThanOrEqual(GUARD.maxShare * knownNodes);
        }
      }),
    );
  });
});
