import { describe, expect, it } from 'vitest';
import { renderDiagnostics } from '../../../engine/policy/diagnostics.ts';
import { loadPolicy } from '../../../engine/policy/load.ts';

function load(source: string) {
  const outcome = loadPolicy({ file: 'policy.yml', source, env: {} });
  return outcome.ok ? outcome.policy : renderDiagnostics(outcome.diagnostics, { 'policy.yml': source });
}

describe('rules', () => {
  it.each([
    ['', {}],
    ['rules:', {}],
    ['rules: { GpuHot: {} }', { GpuHot: { onError: 'keep', onNoData: 'ok' } }],
    ['rules: { GpuHot: { on_error: alert } }', { GpuHot: { onError: 'alert', onNoData: 'ok' } }],
    [
      'rules: { "GPU is lost": { on_no_data: keep }, GpuHot: { on_error: ok, on_no_data: alert } }',
      { 'GPU is lost': { onError: 'keep', onNoData: 'keep' }, GpuHot: { onError: 'ok', onNoData: 'alert' } },
    ],
  ])('%j', (source, rules) => {
    expect(load(source)).toMatchObject({ rules });
  });

  it('changes no decision, so the revision stays', () => {
    const revisions = ['', 'rules: { GpuHot: { on_error: alert, on_no_data: alert } }'].map((source) => {
      const policy = load(source);
      return typeof policy === 'string' ? policy : policy.revision;
    });
    expect(revisions[1]).toBe(revisions[0]);
  });

  it('refuses what it does not know, at its place', async () => {
    const source = 'rules:\n  GpuHot:\n    on_error: resolve\n    on_nodata: alert\n  "": { on_error: keep }\n';
    await expect(load(source)).toMatchFileSnapshot('golden/rules-section.txt');
  });
});
