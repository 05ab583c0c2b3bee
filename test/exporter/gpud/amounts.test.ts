import { describe, expect, it } from 'vitest';
import { memoryText, percentText } from '../../../exporter/gpud/amounts.ts';
import { shortBusId } from '../../../exporter/gpud/reading.ts';

describe('memoryText', () => {
  it.each([
    [undefined, undefined],
    [0, '0 MiB'],
    [5, '5 MiB'],
    [640, '640 MiB'],
    [1024, '1 GiB'],
    [1536, '1.5 GiB'],
    [81_920, '80 GiB'],
    [2_097_152, '2 TiB'],
  ])('%s MiB: %s', (mib, text) => {
    expect(memoryText(mib)).toBe(text);
  });
});

describe('percentText', () => {
  it.each([
    [1, 3, '33.33'],
    [0, 700, '0.00'],
    [undefined, 700, undefined],
    [350, undefined, undefined],
    [350, 0, undefined],
  ])('%s of %s: %s', (part, whole, text) => {
    expect(percentText(part, whole)).toBe(text);
  });
});

describe('shortBusId', () => {
  it.each([
    ['00000000:0F:00.0', '0000:0f:00.0'],
    ['0000A1B2:C0:1F.7', 'a1b2:c0:1f.7'],
    ['00010000:07:00.0', '00010000:07:00.0'],
  ])('%s: %s', (long, short) => {
    expect(shortBusId(long)).toBe(short);
  });
});
