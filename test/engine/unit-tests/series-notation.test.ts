import { describe, expect, it } from 'vitest';
import { readNotation } from '../../../engine/unit-tests/series-notation.ts';

const _ = undefined;

describe('readNotation', () => {
  it.each([
    ['', []],
    ['1 2  3', [1, 2, 3]],
    ['-2+4x3', [-2, 2, 6, 10]],
    ['1-2x4', [1, -1, -3, -5, -7]],
    ['1x4', [1, 1, 1, 1, 1]],
    ['0x3', [0, 0, 0, 0]],
    ['0+1x0', [0]],
    ['1 _x3 stale 5', [1, _, _, _, 'stale', 5]],
    ['_ _x0 .5 1e3 -1.5e-1', [_, 0.5, 1000, -0.15]],
    ['NaN Inf -Inf +inf', [Number.NaN, Infinity, -Infinity, Infinity]],
    ['0+0.1x3', [0, 0.1, 0.2, 0.30000000000000004]],
  ])('reads %j', (text, samples) => {
    expect(readNotation(text)).toEqual({ ok: true, samples });
  });

  it.each([
    ['1 two', '"two" is not a sample', 2, 5],
    ['1+1', '"1+1" is not a sample', 0, 3],
    ['1x', '"1x" is not a sample', 0, 2],
    ['1 1x9999999', 'the series has more than 1000000 samples', 2, 11],
    ['{{schema:0}}', 'native histograms are not supported', 0, 2],
  ])('refuses %j', (text, message, from, to) => {
    expect(readNotation(text)).toMatchObject({ ok: false, problem: { message, from, to } });
  });
});
