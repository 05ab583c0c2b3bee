import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LabelSet } from '../../../engine/core/alert.ts';
import { fingerprintOf } from '../../../engine/core/fingerprint.ts';

describe('fingerprintOf', () => {
  const TABLE: readonly [labels: LabelSet, fingerprint: string][] = [
    [{}, 'cbf29ce484222325'],
    [{ alertname: 'Hot' }, '592ecc9a3acefc0b'],
    [{ alertname: 'Hot', gpu: '3', instance: 'node-0:9400', severity: 'critical' }, '1749fbfe794cdfc9'],
    [{ alertname: 'Größe', note: '92 °C, 日本語 😀' }, '41eaf60284c873d4'],
    [{ '\ue000': 'a', '😀': 'b', z: 'c' }, 'b03f8d0740b5d954'],
    [{ a: 'bc' }, 'a0a3542c19b900ab'],
    [{ ab: 'c' }, '20ba9b3025a8b421'],
    [{ empty: '' }, '63c0748f2b57e954'],
    [{ x: 'y'.repeat(1000) }, 'a64ec8fe3d83d9cd'],
  ];

  it.each(TABLE)('of %j is what prometheus/common computes', (labels, fingerprint) => {
    expect(fingerprintOf(labels)).toBe(fingerprint);
  });

  it('does not depend on the order in which labels come', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (labels) => {
        expect(fingerprintOf(Object.fromEntries(Object.entries(labels).reverse()))).toBe(fingerprintOf(labels));
      }),
    );
  });

  it('differs when a letter moves from one label to the next', () => {
    const names = [
      { ab: 'c', d: 'e' },
      { a: 'bc', d: 'e' },
      { ab: 'cd', '': 'e' },
      { ab: 'c', de: '' },
    ];
    expect(new Set(names.map((labels) => fingerprintOf(labels as LabelSet))).size).toBe(4);
  });

  it('reads half a surrogate pair as what is left of it on the wire', () => {
    expect(fingerprintOf({ a: 'x\ud83dy' })).toBe(fingerprintOf({ a: 'x\ufffdy' }));
  });
});
