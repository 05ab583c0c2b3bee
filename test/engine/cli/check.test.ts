import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../../engine/cli/main.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CLI = join(ROOT, 'engine/cli/gpu-uptime.mjs');
const GOLDEN = join(ROOT, 'test/engine/cli/golden');

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], env: Record<string, string> = {}, cwd = ROOT): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (text: string) => out.push(text), err: (text: string) => err.push(text), env, cwd };
  const code = await main(args, io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gpu-uptime-check-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('gpu-uptime check', () => {
  it('prints every effective value with its source, and a line per capability', async () => {
    const { code, out, err } = await run(['check', 'rules/policy.inference.yml'], { GPU_MAX_TEMPERATURE: '80' });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    await expect(`${out}\n`).toMatchFileSnapshot(join(GOLDEN, 'check-valid.txt'));
  });

  it('accepts the policy of npm start', async () => {
    const { code, out, err } = await run(['check', 'rules/policy.local.yml']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^rules\/policy\.local\.yml: valid, revision [0-9a-f]{12}$/m);
  });

  it('prints every problem with place, caret and fix, and exits 1', async () => {
    await writeFile(join(folder, 'bad.yml'), 'interval: 5\nwindows:\n  short: { tresholds: 95 }\n');
    const { code, out, err } = await run(['check', 'bad.yml'], { GPU_MIN_VRAM_GB: 'much' }, folder);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    await expect(`${err}\n`).toMatchFileSnapshot(join(GOLDEN, 'check-invalid.txt'));
  });

  it('checks the policy and the rules that the engine would load when no file is named', async () => {
    const { code, out, err } = await run(['check']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n')[0]).toMatch(/^rules\/policy\.yml: valid, revision [0-9a-f]{12}$/);
    expect(out).toMatch(/^rules\/alerts\/gpu\.yml: valid, 1 group, 8 alert rules, 0 recording rules$/m);
  });

  it('follows POLICY_FILE and RULE_FILES, and says what they do not lead to', async () => {
    await writeFile(join(folder, 'empty.yml'), '');
    const { code, out, err } = await run(
      ['check'],
      { POLICY_FILE: 'empty.yml', RULE_FILES: 'empty.yml, no/*.yml' },
      folder,
    );
    expect(code).toBe(1);
    expect(out).toMatch(/^empty\.yml: valid, revision/);
    expect(out).toMatch(/^empty\.yml: valid, 0 groups, 0 alert rules, 0 recording rules$/m);
    expect(err).toContain('no/*.yml: error: no file matches\n  fix: correct RULE_FILES\n');
  });

  it('reports warnings and still succeeds', async () => {
    const { code, err } = await run(['check'], { GPU_MAX_TEMPERATUR: '80' });
    expect(code).toBe(0);
    expect(err).toContain('environment: warning: GPU_MAX_TEMPERATUR is not a variable of gpu-uptime');
  });

  it('says which file cannot be read', async () => {
    const { code, err } = await run(['check', 'absent.yml', 'rules/policy.yml']);
    expect(code).toBe(1);
    expect(err).toContain('absent.yml: error: cannot be read: ENOENT: no such file or directory');
  });

  it('prints JSON for machines', async () => {
    const { code, out } = await run(['check', '--json', 'rules/policy.yml', 'absent.yml'], { GPU_MIN_VRAM_GB: '40' });
    const [valid, invalid]: unknown[] = JSON.parse(out);
    expect(code).toBe(1);
    expect(valid).toMatchObject({
      file: 'rules/policy.yml',
      valid: true,
      diagnostics: [],
      settings: expect.arrayContaining([
        { key: 'checks.vram.min', value: 40, origin: { kind: 'environment', name: 'GPU_MIN_VRAM_GB', text: '40' } },
      ]),
    });
    expect(invalid).toMatchObject({ file: 'absent.yml', valid: false, diagnostics: [{ severity: 'error' }] });
  });
});

describe('gpu-uptime schema', () => {
  it('writes the schema where it is told', async () => {
    const { code, out } = await run(['schema', 'schema.json'], {}, folder);
    expect({ code, out }).toEqual({ code: 0, out: 'wrote schema.json' });
    const committed = await readFile(join(ROOT, 'rules/policy.schema.json'), 'utf8');
    expect(await readFile(join(folder, 'schema.json'), 'utf8')).toBe(committed);
  });

  it('prints it for -', async () => {
    expect(JSON.parse((await run(['schema', '-'])).out)).toMatchObject({ title: 'gpu-uptime policy' });
  });
});

describe('the command line', () => {
  it.each([[[]], [['--help']], [['help']], [['-h']]])('%j lists the commands', async (args) => {
    const { code, out } = await run(args);
    expect(code).toBe(0);
    expect(out).toContain('  check        check policy and rule files and show what they amount to');
    expect(out).toContain(
      '  ping-system  watch the pings of agents live, and ping for an engine that leaves it to others',
    );
  });

  it.each([[['check', '--help']], [['help', 'check']]])('%j explains a command', async (args) => {
    const { code, out } = await run(args);
    expect(code).toBe(0);
    expect(out).toMatch(/^usage: gpu-uptime check \[FILE…\] \[--lint\] \[--json\]/);
  });

  it('suggests the nearest command and exits 2', async () => {
    expect(await run(['chek'])).toEqual({
      code: 2,
      out: '',
      err: 'gpu-uptime: unknown command "chek"; did you mean "check"?',
    });
  });

  it('shows the usage after a wrong option and exits 2', async () => {
    const { code, err } = await run(['check', '--jsn']);
    expect(code).toBe(2);
    expect(err).toMatch(/^gpu-uptime check: Unknown option '--jsn'\n\nusage: gpu-uptime check/);
  });

  it('works as a process of its own', () => {
    const { status, stdout } = spawnSync(process.execPath, [CLI, 'check'], { cwd: ROOT, env: {}, encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('rules/policy.yml: valid');
  });
});

describe('the runtime check', () => {
  const sentence = (version: string) =>
    `gpu-uptime needs Node.js 26 or newer and this is ${version}: run \`npm ci\` once, which brings it, and start through npm, for example \`npm run gpu-uptime -- check\`.`;

  it.each([
    ['12.22.12', sentence('12.22.12')],
    ['25.9.0', sentence('25.9.0')],
    ['26.0.0', ''],
    ['100.1.0', ''],
  ])('judges version %s', (version, expected) => {
    const module = JSON.stringify(new URL('../../../engine/cli/runtime.mjs', import.meta.url).href);
    const script = `import { runtimeComplaint } from ${module}; console.log(runtimeComplaint(${JSON.stringify(version)}));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(stdout.trim()).toBe(expected);
  });

  it('refuses the system’s old Node.js in one sentence', ({ skip }) => {
    const system = '/usr/bin/node';
    const version = existsSync(system) ? spawnSync(system, ['--version'], { encoding: 'utf8' }).stdout.trim() : 'none';
    if (!/^v(1\d|2[0-5])\./.test(version)) skip(`needs a Node.js older than 26 at ${system}; found ${version}`);
    const { status, stderr } = spawnSync(system, [CLI, 'check'], { cwd: ROOT, encoding: 'utf8' });
    expect({ status, stderr: stderr.trim() }).toEqual({ status: 1, stderr: sentence(version.slice(1)) });
  });
});
