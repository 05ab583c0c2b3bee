import { describe, expect, it } from 'vitest';
import {
  formatFixed,
  formatFloat,
  formatShortest,
  formatSignificant,
} from '../../../../engine/rules/template/go-number.ts';

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
    [0.5, 0, '0'],
    [1.5, 0, '2'],
    [0.04, 0, '0'],
    [0.06, 1, '0.1'],
    [999.95, 1, '1000.0'],
    [0.1, 20, '0.10000000000000000555'],
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

describe('formatFloat', () => {
  it.each([
    [1234.5, 'e', 2, '1.23e+03'],
    [1235, 'e', 2, '1.24e+03'],
    [1225, 'E', 2, '1.22E+03'],
    [0, 'e', 3, '0.000e+00'],
    [5e-324, 'e', 2, '4.94e-324'],
    [1e-7, 'G', undefined, '1E-07'],
    [1, 'b', undefined, '4503599627370496p-52'],
    [10, 'x', undefined, '0x1.4p+03'],
    [0, 'x', undefined, '0x0p+00'],
    [1.999, 'x', 1, '0x1.0p+01'],
    [5e-324, 'X', undefined, '0X1P-1074'],
  ] as const)('%s as %s with precision %s is %s', (value, form, precision, text) => {
    expect(formatFloat(value, form, precision)).toBe(text);
  });
});
