import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadPolicy } from '../../../engine/policy/load.ts';
import { formatOrigin } from '../../../engine/policy/provenance.ts';

function load(source: string, env: Record<string, string> = {}) {
  const outcome = loadPolicy({ file: 'policy.yml', source, env });
  if (!outcome.ok) throw new Error(outcome.diagnostics.map(({ message }) => message).join('; '));
  return outcome;
}

describe('loadPolicy', () => {
  it('turns the units of the file into the units of the engine', () => {
    const { policy } = load('interval: 10s\nmin_coverage: 60\nwindows: { short: { threshold: 99.9 } }');
    expect(policy).toMatchObject({
      intervalMs: 10_000,
      settleMs: 2000,
      backfillMs: 14_400_000,
      minCoverage: 0.6,
      presence: { freshMs: 20_000, rememberMs: 86_400_000 },
      guard: { maxShare: 0.5, windowMs: 300_000, minNodes: 3 },
      stale: { maxStalenessMs: 300_000, onStale: 'allow' },
      rules: {},
      alerts: { consecutiveFailures: 3, uptimeBelow: 0.95 },
    });
    expect(policy.windows[0]).toEqual({ name: 'short', rangeMs: 300_000, threshold: 0.999 });
  });

  it('reads how many agents there may be, and how long their pings are kept', () => {
    expect(load('').policy.ping).toMatchObject({ maxAgents: 10_000, historyMs: 7 * 86_400_000 });
    const { policy } = load('ping: { max_agents: 500, history: 36h }');
    expect(policy.ping).toMatchObject({ maxAgents: 500, historyMs: 129_600_000 });
  });

  it('backfills twice the longest window, a capability’s included', () => {
    expect(load('capabilities: { batch: { windows: { long: { range: 12h } } } }').policy.backfillMs).toBe(86_400_000);
  });

  it('merges a capability’s checks and windows field by field', () => {
    const { policy } = load(
      [
        'capabilities:',
        '  text-to-image:',
        '    checks: { vram: { min: 16 }, temperature: off, power: { expr: POWER, max: 300 } }',
        '    windows: { short: { threshold: 95 }, long: off }',
        '    gpus: { modelName: "NVIDIA A100.*" }',
      ].join('\n'),
    );
    const [base, capability] = policy.capabilities;
    expect(base).toEqual({ name: 'default', checks: policy.checks, windows: policy.windows, gpus: {} });
    expect(capability?.checks.map(({ name, bound }) => [name, bound.value])).toEqual([
      ['vram', 16],
      ['gpu_utilization', 95],
      ['memory_utilization', 95],
      ['free_memory', 1024],
      ['power', 300],
    ]);
    expect(capability?.checks.at(-1)).toEqual({
      name: 'power',
      expr: 'POWER',
      bound: { kind: 'max', value: 300 },
      unit: '',
      absent: 'ignore',
      onFail: 'down',
    });
    expect(capability?.windows).toEqual([
      { name: 'short', rangeMs: 300_000, threshold: 0.95 },
      { name: 'medium', rangeMs: 1_800_000, threshold: 0.99 },
    ]);
    expect(capability?.gpus).toEqual({ modelName: 'NVIDIA A100.*' });
  });

  it('says where every effective value came from', () => {
    const { provenance } = load('windows:\n  short:\n    threshold: 95\n', { GPU_SHORT_TERM_WINDOW: '60' });
    const short = provenance.filter(({ path }) => path[1] === 'short' || path[0] === 'backfill');
    expect(short.map(({ path, value, origin }) => [path.join('.'), value, formatOrigin(origin)])).toEqual([
      ['backfill', '4h', 'default (2 x longest window)'],
      ['windows.short.range', '1m', 'env GPU_SHORT_TERM_WINDOW'],
      ['windows.short.threshold', 95, 'policy.yml:3'],
    ]);
  });

  it('warns about a freshness that one late scrape breaks, and loads all the same', () => {
    const { warnings } = load('presence: { fresh: 7s }');
    expect(warnings.map(({ severity, line, column }) => [severity, line, column])).toEqual([['warning', 1, 20]]);
  });

  it('never throws, whatever the text and the environment', () => {
    const key = fc.constantFrom(
      'interval',
      'checks',
      'vram',
      'windows',
      'short',
      'range',
      'expr',
      'capabilities',
      'gpus',
      'min',
      'delay',
      'identity',
      'labels',
      'backfill',
      'toString',
      'constructor',
    );
    const leaf = fc.oneof(
      fc.constantFrom('5s', 'off', '1h', 'up{', 'UUID'),
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(key, fc.string()), tie('tree'), { maxKeys: 5 }),
      ),
    }));
    const source = fc.oneof(
      fc.string({ unit: 'binary' }),
      tree.map((value) => JSON.stringify(value)),
    );
    const env = fc.dictionary(
      fc.constantFrom('GPU_SHORT_TERM_WINDOW', 'GPU_MIN_VRAM_GB', 'GPU_HEALTH_CHECK_INTERVAL'),
      fc.string(),
    );
    fc.assert(
      fc.property(source, env, (text, variables) => {
        loadPolicy({ file: 'policy.yml', source: text, env: variables });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('policy revision', () => {
  const revision = (source: string) => load(source).policy.revision;

  it('is 12 hex digits and the same for the same meaning', () => {
    expect(revision('')).toMatch(/^[0-9a-f]{12}$/);
    expect(revision('windows: { short: { range: 300s } }')).toBe(revision(''));
  });

  it.each([
    'interval: 1s',
    'judge: wilson',
    'capabilities: { a: {} }',
    'checks: { vram: off }',
    'stale: { on_stale: deny }',
  ])('changes with %s', (source) => {
    expect(revision(source)).not.toBe(revision(''));
  });

  it.each([
    'report: { interval: 5m }',
    'agent: { mode: true }',
    'persistence_file: x.db',
    'ping: { base_interval: 1h }',
    'ping: { evidence: agent, observe: base, allow_loopback: true }',
  ])('does not change with %s, which judges nothing', (source) => {
    expect(revision(source)).toBe(revision(''));
  });
});
