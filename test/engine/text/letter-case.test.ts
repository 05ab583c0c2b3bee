import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toLowerCase, toUpperCase } from '../../../engine/text/letter-case.ts';

describe('letter case', () => {
  // What strings.ToUpper and strings.ToLower of Go say.
  it.each([
    ['Größe', 'GRÖßE', 'größe'],
    ['İstanbul', 'İSTANBUL', 'istanbul'],
    ['ıǰŉﬁ', 'Iǰŉﬁ', 'ıǰŉﬁ'],
    ['ᾳῃῳᾀᾈ', 'ᾼῌῼᾈᾈ', 'ᾳῃῳᾀᾀ'],
    ['ΌΔΟΣ', 'ΌΔΟΣ', 'όδοσ'],
    ['Ǆǅǆ', 'ǄǄǄ', 'ǆǆǆ'],
    ['𐐀𐐨', '𐐀𐐀', '𐐨𐐨'],
  ])('%s is %s and %s', (text, upper, lower) => {
    expect([toUpperCase(text), toLowerCase(text)]).toEqual([upper, lower]);
  });

  it('never changes how many letters there are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const letters = Array.from(text).length;
        expect(Array.from(toUpperCase(text))).toHaveLength(letters);
        expect(Array.from(toLowerCase(text))).toHaveLength(letters);
      }),
    );
  });
});
