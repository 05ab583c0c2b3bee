import { describe, expect, it } from 'vitest';
import { formatFixed, formatShortest, formatSignificant } from '../../../engine/rules/go-number.ts';

// Expected texts are Go's: fmt.Sprintf("%v" | "%.Nf" | "%.Ng").
describe('formatShortest', () => {
  it.each([
    [15, '15'],
    [0, '0'],
    [-0, '-0'],
    [0.1, '0.1'],
    [100_000, '100000'],
    [999_999, '999999'],
    [1_000_000, '1e+06'],
    [1_234_567, '1.234567e+06'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1e21, '1e+21'],
    [5e-324, '5e-324'],
    [-1.5e300, '-1.5e+300'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ])('%s is %s', (value, text) => {
    expect(formatShortest(value)).toBe(text);
  });
});

describe('formatFixed', () => {
  it.each([
    [2.5, 0, '2'],
    [3.5, 0, '4'],
    [92.25, 1, '92.2'],
    [92.35, 1, '92.3'],
    [-0.5, 0, '-0'],
    [1.005, 2, '1.00'],
    [1e21, 1, '1000000000000000000000.0'],
    [Number.NaN, 2, 'NaN'],
  ])('%s with %i decimals is %s', (value, decimals, text) => {
    expect(formatFixed(value, decimals)).toBe(text);
  });
});

describe('formatSignificant', () => {
  it.each([
    [12345, '1.234e+04'],
    [12355, '1.236e+04'],
    [1.234567, '1.235'],
    [100, '100'],
    [9999.6, '1e+04'],
    [0.00012345, '0.0001234'],
    [0, '0'],
  ])('%s with four digits is %s', (value, text) => {
    expect(formatSignificant(value, 4)).toBe(text);
  });
});
