import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../../engine/cli/main.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

const RULES = join(import.meta.dirname, '../rules/golden');
const GOLDEN = join(import.meta.dirname, 'golden');

let cwd = '';
beforeEach(() => {
  cwd = temporaryDirectory();
});

async function check(...args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (text: string) => out.push(text), err: (text: string) => err.push(text), env: {}, cwd };
  const code = await main(['check', ...args], io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const FINE = 'groups:\n- name: g\n  rules:\n  - {alert: A, expr: up == 0, labels: {severity: info}}\n';
const DOUBTFUL = 'groups:\n- name: g\n  rules:\n  - {alert: B, expr: up == 0}\n';

describe('gpu-uptime check of rule files', () => {
  it('prints a summary and a table of the rules', async () => {
    await copyFile(join(RULES, 'good.yml'), join(cwd, 'good.yml'));
    const { code, out, err } = await check('good.yml');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    await expect(`${out}\n`).toMatchFileSnapshot(join(GOLDEN, 'check-rules-valid.txt'));
  });

  it('prints every problem with place, caret and fix, and exits 1', async () => {
    await copyFile(join(RULES, 'bad/recording.yml'), join(cwd, 'bad.yml'));
    const { code, out, err } = await check('bad.yml');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    await expect(`${err}\n`).toMatchFileSnapshot(join(GOLDEN, 'check-rules-invalid.txt'));
  });

  it.each([
    [FINE, [], 0],
    [FINE, ['--lint'], 0],
    [DOUBTFUL, [], 0],
    [DOUBTFUL, ['--lint'], 1],
  ] as const)('%j with %j exits %d', async (text, flags, code) => {
    await writeFile(join(cwd, 'rules.yml'), text);
    const result = await check('rules.yml', ...flags);
    expect(result.code).toBe(code);
    expect(result.out).toContain('rules.yml: valid, 1 group, 1 alert rule, 0 recording rules');
    expect(result.err.includes('warning: "B" has no label "severity"')).toBe(text === DOUBTFUL);
  });

  it('tells policies and rules apart, also when they are broken, and names what others check', async () => {
    const files = {
      'rules.yml': FINE,
      'rules.json': '{"groups": []}',
      'broken.yml': 'groups:\n- name: "g\n',
      'policy.yml': 'interval: 5s\n',
      'unit.test.yml': 'rule_files: [rules.yml]\ntests: []\n',
      'prometheus.yml': 'global: {}\nrule_files: []\n',
      'alertmanager.yml': 'route: {receiver: a}\nreceivers: []\n',
      'object.yml': 'apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec: {groups: []}\n',
    };
    for (const [file, text] of Object.entries(files)) await writeFile(join(cwd, file), text);
    const { code, out, err } = await check(...Object.keys(files));
    expect(code).toBe(1);
    expect(out).toMatch(/^policy\.yml: valid, revision/m);
    expect(out).toContain('rules.json: valid, 0 groups, 0 alert rules, 0 recording rules');
    expect(err.split('\n').filter((line) => !line.startsWith(' '))).toEqual([
      'broken.yml:2:9: error: the quote is never closed',
      '',
      'broken.yml: invalid, 1 error',
      'alertmanager.yml: configures Alertmanager, which "amtool check-config alertmanager.yml" checks',
      'object.yml: is a Kubernetes object; put what stands under "spec" into a file to check it',
      'prometheus.yml: configures Prometheus, which "promtool check config prometheus.yml" checks',
      'unit.test.yml: holds unit tests, which "gpu-uptime test unit.test.yml" runs',
    ]);
  });

  it.each(['group', 'groupes', 'Groups'])(
    'takes a file that begins with "%s:" for a rule file with a slip',
    async (key) => {
      await writeFile(join(cwd, 'slip.yml'), `${key}:\n- name: a\n  rules: []\n`);
      const { code, err } = await check('slip.yml');
      expect([code, err.split('\n')[0]]).toEqual([1, `slip.yml:1:1: error: unknown key "${key}"`]);
      expect(err).toContain('fix: write "groups"');
    },
  );

  it('does not call unit tests wrong', async () => {
    await writeFile(join(cwd, 'unit.test.yml'), 'tests: []\n');
    const note = 'unit.test.yml: holds unit tests, which "gpu-uptime test unit.test.yml" runs';
    expect(await check('unit.test.yml')).toEqual({ code: 0, out: '', err: note });
  });

  it('checks the files of a glob and of a directory once, and finds rules that two of them have', async () => {
    await mkdir(join(cwd, 'rules/more'), { recursive: true });
    await writeFile(join(cwd, 'rules/a.yml'), FINE);
    await writeFile(join(cwd, 'rules/more/b.yaml'), FINE);
    const { code, out, err } = await check('rules', 'rules/**/*.yml', '--lint');
    expect(code).toBe(1);
    expect(out.split('\n').filter((line) => line.includes('valid')).length).toBe(2);
    expect(err.split('\n')[0]).toBe(
      'rules/more/b.yaml:4:13: warning: the alert "A" with these labels has a rule already, at rules/a.yml:4',
    );
  });

  it('prints JSON for machines', async () => {
    await copyFile(join(RULES, 'good.yml'), join(cwd, 'good.yml'));
    await writeFile(join(cwd, 'unit.test.yml'), 'tests: []\n');
    const { code, out } = await check('--json', 'good.yml', 'unit.test.yml', 'absent.yml');
    const [rules, absent, tests]: unknown[] = JSON.parse(out);
    expect(code).toBe(1);
    expect(rules).toMatchObject({
      file: 'good.yml',
      valid: true,
      diagnostics: [],
      kind: 'rules',
      groups: [
        {
          name: 'node',
          interval: '5s',
          query_offset: '1s',
          limit: 10,
          rules: [
            { kind: 'alert', name: 'GpuHot', line: 8, for: '1m30s', keep_firing_for: '2m' },
            { kind: 'alert', name: 'GpuHot', line: 21, for: '0s' },
            { kind: 'record', name: 'gpu:temperature:max', labels: { team: 'none' } },
          ],
        },
        { name: 'no rules yet', interval: '1m', rules: [] },
      ],
    });
    expect(absent).toMatchObject({ file: 'absent.yml', valid: false, diagnostics: [{ severity: 'error' }] });
    expect(tests).toEqual({ file: 'unit.test.yml', kind: 'tests', note: expect.stringContaining('gpu-uptime test') });
  });
});
