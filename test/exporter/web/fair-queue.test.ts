import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientOf } from '../../../exporter/web/connection-door.ts';
import { createFairQueue } from '../../../exporter/web/fair-queue.ts';

describe('createFairQueue', () => {
  it('takes from every client in turn, in the order of each', () => {
    const queue = createFairQueue<string>({ perClient: 9, total: 9 });
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.add(item.slice(0, 1), item);
    const taken = Array.from({ length: 7 }, () => queue.take());
    expect(taken).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', undefined]);
  });

  it('has room for so many of one client, and so many in all', () => {
    const queue = createFairQueue<number>({ perClient: 2, total: 3 });
    expect(['a', 'a', 'a', 'b', 'b', 'c'].map((client, nth) => queue.add(client, nth))).toEqual([
      true,
      true,
      false,
      true,
      false,
      false,
    ]);
    queue.take();
    expect(queue.add('c', 9)).toBe(true);
  });

  it('loses and doubles nothing', () => {
    const step = fc.oneof(fc.tuple(fc.constantFrom('a', 'b', 'c')), fc.constant('take' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const queue = createFairQueue<number>({ perClient: 4, total: 8 });
        const [added, taken]: [number[], number[]] = [[], []];
        steps.forEach((next, nth) => {
          if (next === 'take') taken.push(...[queue.take()].filter((item) => item !== undefined));
          else if (queue.add(next[0], nth)) added.push(nth);
        });
        for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item);
        expect(taken.toSorted((a, b) => a - b)).toEqual(added);
      }),
    );
  });
});

describe('clientOf', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2:ffff::1', '2001:db8:1:2'],
    ['', ''],
    [undefined, ''],
    ['no address', 'no address'],
  ])('%s is counted as %s', (address, client) => {
    expect(clientOf(address)).toBe(client);
  });
});
