import { describe, expect, it } from 'vitest';
import { loadPolicy } from '../../../engine/policy/load.ts';

function load(source: string) {
  const outcome = loadPolicy({ file: 'policy.yml', source, env: {} });
  if (!outcome.ok) throw new Error(outcome.diagnostics.map(({ message }) => message).join('; '));
  return outcome.policy;
}

describe('the section actions', () => {
  it('lets every action take effect by default', () => {
    expect(load('').actions).toEqual({ throttle: true, preempt: true, quarantine: true, freshMs: 120_000 });
  });

  it.each([
    ['throttle: false', { throttle: false }],
    ['preempt: false', { preempt: false }],
    ['quarantine: false', { quarantine: false }],
    ['fresh: 90s', { freshMs: 90_000 }],
  ])('%s changes that alone, and the revision, because it judges differently', (line, change) => {
    const { actions, revision } = load(`actions: { ${line} }`);
    expect(actions).toEqual({ ...load('').actions, ...change });
    expect(revision).not.toBe(load('').revision);
  });

  it('warns of alerts that would seem to end between two ticks', () => {
    const outcome = loadPolicy({ file: 'policy.yml', source: 'interval: 10s\nactions: { fresh: 15s }', env: {} });
    const warnings = outcome.ok ? outcome.warnings : [];
    expect(warnings.map(({ line, message, fix }) => [line, message, fix])).toEqual([
      [
        2,
        'fresh is 15s, less than two intervals of 10s: alerts would seem to end between ticks',
        'use at least 20s, and two evaluation intervals of the rules',
      ],
    ]);
  });
});
