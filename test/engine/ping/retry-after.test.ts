import { expect, it } from 'vitest';
import { retryAfterMs } from '../../../engine/ping/retry-after.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

it.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['999999999999999999999', 86_400_000],
  ['Fri, 02 Jan 2026 03:05:05 GMT', 60_000],
  ['Friday, 02-Jan-26 03:05:05 GMT', 60_000],
  ['Fri, 02 Jan 2026 03:00:00 GMT', 0],
  ['Fri, 02 Jan 2099 03:00:00 GMT', 86_400_000],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
  [['1', '2'], undefined],
])('retryAfterMs of %j is %j', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});
