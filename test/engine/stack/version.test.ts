import { describe, expect, it } from 'vitest';
import { isAtLeast, readVersion } from '../../../engine/stack/version.ts';

describe('readVersion', () => {
  it.each([
    ['prometheus, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5)', '2.42.0'],
    ['alertmanager, version 0.28.1 (branch: HEAD)', '0.28.1'],
    ['nginx version: nginx/1.22.1', '1.22.1'],
    ['v2.8.4 h1:q3pe0wpBj1OcHFZ3n/1nl4V4bxBrYoSoab7rL9BMYNk=', '2.8.4'],
    ['Usage: something else', undefined],
  ])('reads %j', (text, version) => {
    expect(readVersion(text)).toBe(version);
  });
});

describe('isAtLeast', () => {
  it.each([
    ['2.42.0', '2.42.0', true],
    ['3.5.0', '2.42.0', true],
    ['2.9.9', '2.42.0', false],
    ['2.41.9', '2.42.0', false],
    ['0.100.0', '0.25.0', true],
  ])('%s against %s', (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected);
  });
});
