import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { loadRules, loadRulesGently, type RuleSource } from '../../../engine/rules/rule-file.ts';
import { atOnce, gently, type Steps } from '../../../engine/rules/steps.ts';

function ruleText(rule: number): string {
  return `      - alert: Hot${rule}
        expr: max by (UUID) (avg_over_time(DCGM_FI_DEV_GPU_TEMP{rack="r${rule}"}[5m])) > 85 and on (instance) up == 1
        for: 5m
        labels: { severity: warning, team: "{{ $labels.team }}" }
        annotations:
          summary: "GPU {{ $labels.gpu }} on {{ $labels.instance }} is at {{ $value | humanize }} °C"
`;
}

function groupText(name: string, rules: number): string {
  return `  - name: ${name}\n    rules:\n${Array.from({ length: rules }, (_, rule) => ruleText(rule)).join('')}`;
}

const ONE_LONG_GROUP: RuleSource = { file: 'long.yml', text: `groups:\n${groupText('long', 5000)}` };
const MANY_FILES: readonly RuleSource[] = Array.from({ length: 20 }, (_, file) => ({
  file: `${file}.yml`,
  text: `groups:\n${groupText('a', 3)}${groupText('b', 2)}`,
}));
const FAULTY: readonly RuleSource[] = [
  { file: 'no-yaml.yml', text: 'groups:\n  - name: "' },
  {
    file: 'flow.yml',
    text: '{"groups": [{"name": "a", "rules": [{"alert": "A", "expr": "up ==", "extra": 1}, {"a": [1]}]}]}',
  },
  { file: 'twice.yml', text: `groups:\n${groupText('a', 1)}${groupText('a', 1)}` },
  { file: 'aliases.yml', text: 'groups:\n  - &a { name: a, rules: [] }\n  - { <<: *a, name: b }\n---\nmore\n' },
];

/** What can be compared: expanding a template is not the matter here. */
function shown(sources: readonly RuleSource[], { groups, diagnostics }: ReturnType<typeof loadRules>): string {
  return JSON.stringify({ files: sources.length, groups, diagnostics });
}

describe('loadRulesGently', () => {
  it.each([
    ['many files', MANY_FILES],
    ['files with faults', FAULTY],
    ['nothing', []],
  ])('yields what loadRules yields: %s', async (_what, sources) => {
    const options = { intervalMs: 15_000, isLinting: true };
    expect(shown(sources, await loadRulesGently(sources, options))).toBe(shown(sources, loadRules(sources, options)));
  });

  it('leaves room for everything else while thousands of rules are loaded', { timeout: 60_000 }, async () => {
    const lateMs: number[] = [];
    let before = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      lateMs.push(now - before);
      before = now;
    }, 1);
    const { groups, diagnostics } = await loadRulesGently([ONE_LONG_GROUP]);
    clearInterval(timer);
    expect([groups.length, groups[0]?.rules.length, diagnostics]).toEqual([1, 5000, []]);
    // Loading takes a second and more; a machine under load makes single turns long, not most of them.
    expect(lateMs.length).toBeGreaterThan(40);
    expect(lateMs.toSorted((a, b) => a - b)[Math.floor(lateMs.length * 0.9)]).toBeLessThan(50);
    expect(Math.max(...lateMs)).toBeLessThan(500);
  });
});

describe('loaded rules', () => {
  it('hold little beyond their texts: a template that never fires is not kept as a tree', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heldBytes = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    loadRules(MANY_FILES);
    const before = heldBytes();
    const loaded = loadRules([{ file: 'a.yml', text: `groups:\n${groupText('a', 2000)}` }]);
    const bytesPerRule = (heldBytes() - before) / 2000;
    expect(loaded.groups[0]?.rules).toHaveLength(2000);
    expect(bytesPerRule).toBeLessThan(6000);
  });
});

function* counted(turns: number, slow: () => void): Steps<number> {
  for (let turn = 0; turn < turns; turn++) {
    slow();
    yield;
  }
  return turns;
}

describe('steps', () => {
  it('are all done, at once or gently', async () => {
    expect([atOnce(counted(7, () => {})), await gently(counted(7, () => {}))]).toEqual([7, 7]);
  });

  it('let others have their turn after a slice, not after every step', async () => {
    let turns = 0;
    let isDone = false;
    const others = (): void => {
      turns++;
      if (!isDone) setImmediate(others);
    };
    setImmediate(others);
    const busyMs = (ms: number) => () => {
      const until = performance.now() + ms;
      while (performance.now() < until);
    };
    await gently(counted(20, busyMs(4)));
    isDone = true;
    expect(turns).toBeGreaterThanOrEqual(5);
    expect(turns).toBeLessThanOrEqual(20);
  });

  it('reject with what a step throws', async () => {
    const broken = counted(3, () => {
      throw new Error('of a step');
    });
    await expect(gently(broken)).rejects.toThrow('of a step');
  });
});
