import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ranking } from '../../../engine/ping/ranking.ts';

describe('ranking', () => {
  it('lists what sorting all of it would list', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 })), fc.integer({ min: 1, max: 8 }), (ranks, most) => {
        const items = ranks.map((rank, at) => ({ rank, at }));
        const { add, list } = ranking<(typeof items)[number]>(most, ({ rank }) => rank);
        for (const item of items) add(item);
        expect(list()).toEqual([...items].sort((a, b) => b.rank - a.rank).slice(0, most));
      }),
    );
  });
});
