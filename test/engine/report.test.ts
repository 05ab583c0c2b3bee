import { describe, expect, it } from 'vitest';
import { cronEvery } from '../../engine/report.ts';

describe('cronEvery', () => {
  it.each([
    [1, '*/1 * * * * *'],
    [5, '*/5 * * * * *'],
    [7, '*/6 * * * * *'],
    [45, '*/30 * * * * *'],
    [60, '0 */1 * * * *'],
    [300, '0 */5 * * * *'],
    [3600, '0 0 */1 * * *'],
    [90_000, '0 0 */24 * * *'],
  ])('%i s', (seconds, expression) => {
    expect(cronEvery(seconds * 1000)).toBe(expression);
  });
});
