import { describe, expect, it } from 'vitest';
import { agoText, dueText, instantText, spanText } from '../../../engine/cli/time-text.ts';

describe('spanText', () => {
  it.each([
    [0, '0s'],
    [0.0004, '0s'],
    [0.0123, '12ms'],
    [0.9994, '999ms'],
    [0.9996, '1s'],
    [1.34, '1.3s'],
    [9.96, '10s'],
    [45.4, '45s'],
    [59.7, '1m'],
    [750, '12m30s'],
    [3599.8, '1h'],
    [3930, '1h6m'],
    [86_400, '1d'],
    [183_600, '2d3h'],
    [-5, '0s'],
  ])('writes %d s as %s', (seconds, text) => expect(spanText(seconds)).toBe(text));
});

describe('dueText, agoText and instantText', () => {
  it.each([
    [100, 100.4, 'now'],
    [112, 100, 'in 12s'],
    [97, 100, '3s late'],
  ])('says when %d is at %d', (at, now, text) => expect(dueText(at, now)).toBe(text));

  it('looks back', () => expect([agoText(40, 100), agoText(101, 100)]).toEqual(['1m ago', '0s ago']));

  it('names instants in UTC, and what is none', () => {
    expect([instantText(1_767_614_400.9), instantText(1e300)]).toEqual(['2026-01-05 12:00:00Z', 'an impossible time']);
  });
});
