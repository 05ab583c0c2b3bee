import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countsQuery, narrowed, placesQuery, readCounts } from '../../../../engine/core/ping/queries.ts';
import { checkPromql } from '../../../../engine/promql/promql.ts';
import { policy } from '../fixtures.ts';

const POLICY = policy({ intervalMs: 5000, presence: { ...policy().presence, freshMs: 10_000 } });
const RANGE = { sinceMs: 1_699_910_000_000, untilMs: 1_700_000_000_000 };
const TICKS = { lastMs: 1_700_000_000_000, ticks: 180, stepMs: 5000 };

describe('placesQuery', () => {
  it('asks for the GPUs of all charges together', () => {
    const charges = [{ gpu: 'GPU-0' }, { node: 'a:9400' }, { gpu: 'GPU-1' }, { node: 'b.example.org' }];
    expect(placesQuery(POLICY, charges, RANGE)).toBe(
      'group by (UUID, instance) (last_over_time(DCGM_FI_DEV_GPU_TEMP{UUID=~"GPU-0|GPU-1"}[90000000ms]) or ' +
        'last_over_time(DCGM_FI_DEV_GPU_TEMP{instance=~"a:9400|b\\\\.example\\\\.org"}[90000000ms]))',
    );
  });

  it('asks nothing for names that are empty: they would be those of all series without the label', () => {
    expect(placesQuery(POLICY, [{ gpu: '' }, { node: '' }], RANGE)).toBeUndefined();
    expect(placesQuery(POLICY, [{ gpu: '' }, { node: 'a' }], RANGE)).toBe(
      'group by (UUID, instance) (last_over_time(DCGM_FI_DEV_GPU_TEMP{instance=~"a"}[90000000ms]))',
    );
  });
});

describe('countsQuery', () => {
  it('judges every tick of the span, and none besides', async () => {
    const query = countsQuery(POLICY, { gpus: ['GPU-0', 'GPU-1'], nodes: ['a:9400'] }, TICKS, '7');
    await expect(`${query}\n`).toMatchFileSnapshot('golden/counts-query.txt');
    expect(checkPromql(query)).toEqual([]);
  });

  it.each([
    [0, { up: 0, down: 0 }],
    [180, { up: 180, down: 0 }],
    [3 * 2 ** 20 + 17, { up: 17, down: 3 }],
    [20_000 * 2 ** 20 + 20_000, { up: 20_000, down: 20_000 }],
  ])('answers %d for %j', (value, counts) => {
    expect(readCounts(value)).toEqual(counts);
  });

  it('stays one expression over the same metrics, whatever agents call themselves', () => {
    const shape = (query: string) => query.replace(/"(?:[^"\\]|\\.)*"/g, '""');
    const query = (name: string) => {
      const places = countsQuery(POLICY, { gpus: [name, 'GPU-0'], nodes: [name] }, TICKS, '0');
      return `${places} or ${placesQuery(POLICY, [{ gpu: name }, { node: name }], RANGE)}`;
    };
    const plain = shape(query('GPU'));
    const unit = fc.oneof(
      fc.constantFrom(...'"\\`\'{}[]()|.*+?^$#\n\t,=~ '),
      fc.string({ unit: 'binary', maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.string({ unit }), (rest) => {
        const name = `x${rest}`;
        expect(checkPromql(query(name))).toEqual([]);
        expect(shape(query(name))).toBe(plain);
      }),
      { numRuns: 300 },
    );
  });
});

describe('narrowed', () => {
  it.each([
    ['up', 'up{node=~"a"}'],
    [' up ', 'up{node=~"a"}'],
    ['up{}', 'up{node=~"a",}'],
    ['up{ job="gpu", }', 'up{node=~"a", job="gpu", }'],
    ['up{job=~"}{,"}', 'up{node=~"a",job=~"}{,"}'],
    ['{__name__="up", job!="x"}', '{node=~"a",__name__="up", job!="x"}'],
    ['up {\n  job="gpu" # not node_exporter\n}', 'up {node=~"a",\n  job="gpu" # not node_exporter\n}'],
  ])('adds a matcher to %j', (selector, expected) => {
    expect(narrowed(selector, 'node', ['a', 'a'])).toBe(expected);
    expect(checkPromql(expected)).toEqual([]);
  });
});
