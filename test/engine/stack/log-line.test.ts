import { describe, expect, it } from 'vitest';
import { warningIn } from '../../../engine/stack/log-line.ts';

describe('warningIn', () => {
  it.each([
    ['{"level":30,"time":1,"msg":"listening"}', undefined],
    ['{"level":40,"time":1,"msg":"Prometheus is slow"}', 'Prometheus is slow'],
    ['{"level":50,"msg":"cannot write"}', 'cannot write'],
    ['{"level":50', undefined],
    ['ts=2026-01-01T00:00:00Z caller=main.go:1 level=info msg="Server is ready"', undefined],
    [
      'ts=1 level=warn component="scrape" msg="Error on ingesting" err="open \\"x\\": denied"',
      'Error on ingesting: open "x": denied',
    ],
    ['time=1 level=ERROR source=main.go:1 msg="Notify failed" err=timeout', 'Notify failed: timeout'],
    ['plain words', undefined],
  ])('%j', (line, warning) => {
    expect(warningIn(line)).toBe(warning);
  });
});
