import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf, fitted, plainJson, plainText, wrapped } from '../../../engine/cli/plain-text.ts';
import { HOSTILE } from './fake-engine.ts';

const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/u;

describe('plainText', () => {
  it.each([
    ['RTX 4090', 'RTX 4090'],
    [HOSTILE, 'evil [2J ]0;title   31m dlrow  next'],
    ['a\u2028b\u2029c\u200dd', 'a b c d'],
    ['\ud800 lone', 'lone'],
    ['漢字 é 👍', '漢字 é 👍'],
  ])('makes %j plain', (text, plain) => expect(plainText(text)).toBe(plain));

  it('leaves nothing that a terminal would act upon', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !UNSAFE.test(plainText(text))));
  });
});

describe('plainJson', () => {
  it('is the same value, and safe to print', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = plainJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text.replaceAll('\n', '')).not.toMatch(UNSAFE);
      }),
    );
  });
});

describe('fitted and wrapped', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['ab cd', 4, 'ab…'],
    ['漢字漢字', 5, '漢字…'],
    ['漢字漢字', 4, '漢…'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
    ['abc', -7, ''],
  ])('cuts %j at %d columns', (text, columns, cut) => expect(fitted(text, columns)).toBe(cut));

  it.each([
    ['one two three', 7, ['one two', 'three']],
    ['one two three', 3, ['one', 'two', 'th…']],
    ['one two', Number.POSITIVE_INFINITY, ['one two']],
    ['', 10, ['']],
  ])('wraps %j at %d columns', (text, columns, lines) => expect(wrapped(text, columns)).toEqual(lines));

  it('never takes more columns than there are', () => {
    const texts = fc.string({ unit: 'grapheme' }).map(plainText);
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 40 }), (text, columns) => {
        const lines = [fitted(text, columns), ...wrapped(text, columns)];
        expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
