/** `gpu-uptime test`, with a real Prometheus under each test. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { main } from '../../../engine/cli/main.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { writeProgram } from '../stack/fake-tool.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FILES = 'test/engine/unit-tests/files';
const GOLDEN = join(ROOT, 'test/engine/unit-tests/golden');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gpu-uptime-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(context: TestContext, ...args: string[]) {
  await requireTool(context, 'prometheus');
  return runWith(process.env, ...args);
}

async function runWith(env: NodeJS.ProcessEnv, ...args: string[]) {
  const out: string[] = [];
  const io = {
    out: (text: string) => out.push(text),
    err: (text: string) => out.push(text),
    env,
    cwd: ROOT,
  };
  const code = await main(['test', ...args], io);
  return { code, text: withoutTimes(out.join('\n')) };
}

function withoutTimes(text: string): string {
  return text.replace(/\(\d+\.\d s\)/g, '(… s)').replace(/time="[\d.]+"/g, 'time="…"');
}

describe('gpu-uptime test', () => {
  it('plays alerts, states, messages, restarts, troubles and decisions', async (context) => {
    const { code, text } = await run(context, `${FILES}/passing.yml`);
    await expect(text).toMatchFileSnapshot(join(GOLDEN, 'passing.txt'));
    expect(code).toBe(0);
  });

  it('shows what was expected beside what came, and writes JUnit XML', async (context) => {
    const { code, text } = await run(context, `${FILES}/failing.yml`, '--junit', join(folder, 'junit.xml'));
    await expect(text).toMatchFileSnapshot(join(GOLDEN, 'failing.txt'));
    const xml = await readFile(join(folder, 'junit.xml'), 'utf8');
    await expect(withoutTimes(xml)).toMatchFileSnapshot(join(GOLDEN, 'failing.xml'));
    expect(code).toBe(1);
  });

  it('looks at the other expectations and tests where Prometheus refuses a query', async (context) => {
    const { code, text } = await run(context, `${FILES}/erring.yml`, '--junit', join(folder, 'erring.xml'));
    // Which of two equals Prometheus names first differs from run to run.
    const stable = (output: string) => output.replace(/(found duplicate series) .*?(;many-to-many)/g, '$1 …$2');
    await expect(stable(text)).toMatchFileSnapshot(join(GOLDEN, 'erring.txt'));
    const xml = await readFile(join(folder, 'erring.xml'), 'utf8');
    expect(xml).toContain('tests="2" failures="1" errors="0"');
    expect(xml).toContain('got       error: Prometheus refused the query: found duplicate series');
    expect(code).toBe(1);
  });

  it.for([
    [
      'does not start',
      'echo "no disk"; exit 1',
      /the test ends here: Prometheus did not start for the test: it ended with exit code 1\n +no disk\n/,
    ],
    [
      'takes no samples',
      'for argument; do shift; [ "$argument" = --web.enable-remote-write-receiver ] || set -- "$@" "$argument"; done; exec "$REAL" "$@"',
      /the test ends here: .*\/api\/v1\/write takes no remote writes \(404\)/,
    ],
  ] as const)('fails each test and writes JUnit XML where Prometheus %s', async ([, script, reason], context) => {
    const real = programOf(await requireTool(context, 'prometheus'), 'prometheus');
    const tools = temporaryDirectory();
    writeProgram(tools, 'prometheus', `REAL='${real}'; [ "$1" = --version ] && exec "$REAL" --version; ${script}`);
    const env = { ...process.env, PATH: `${tools}${delimiter}${process.env.PATH}` };
    const junit = join(tools, 'junit.xml');
    const { code, text } = await runWith(env, `${FILES}/erring.yml`, '--junit', junit);
    expect([code, text.match(/^ {2}FAIL .*(?= \()/gm)]).toEqual([
      1,
      ['  FAIL an expression and a decision that fail', '  FAIL after it'],
    ]);
    expect(text).toMatch(reason);
    expect(await readFile(junit, 'utf8')).toContain('tests="2" failures="2" errors="0"');
  });

  it('follows what the policy says of alerts that see nothing', async (context) => {
    const { code, text } = await run(context, `${FILES}/reactions.yml`);
    await expect(text).toMatchFileSnapshot(join(GOLDEN, 'reactions.txt'));
    expect(code).toBe(0);
  });

  it('writes a file that cannot be run into the JUnit XML', async (context) => {
    const junit = join(folder, 'refused.xml');
    const { code } = await run(context, `${FILES}/none.yml`, '--junit', junit);
    const file = `${FILES}/none.yml`;
    const reason = `${file}: cannot be read; name an existing, readable file of tests`;
    expect([code, await readFile(junit, 'utf8')]).toEqual([
      1,
      `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="${file}" tests="1" failures="0" errors="1" skipped="0" time="0.000">
    <testcase classname="${file}" name="can be run" time="0.000">
      <error message="${reason}">${reason}</error>
    </testcase>
  </testsuite>
</testsuites>
`,
    ]);
  });

  it('names every mistake of a file at its place', async (context) => {
    const { code, text } = await run(context, `${FILES}/bad.yml`);
    await expect(text).toMatchFileSnapshot(join(GOLDEN, 'bad.txt'));
    expect(code).toBe(1);
  });

  it('runs only the tests that are asked for', async (context) => {
    const { code, text } = await run(context, `${FILES}/passing.yml`, '--run', '^a restart');
    expect([code, text]).toEqual([
      0,
      `${FILES}/passing.yml\n  ok   a restart sends once more what was sent last (… s)\n1 of 1 tests passed`,
    ]);
  });

  it.for([
    [[], 2, /name a file of tests/],
    [[`${FILES}/passing.yml`, '--run', '('], 2, /--run \( is no regular expression/],
    [['none.yml'], 1, /none\.yml: cannot be read/],
  ] as const)('refuses %j', async ([args, code, message], context) => {
    const result = await run(context, ...args);
    expect(result.code).toBe(code);
    expect(result.text).toMatch(message);
  });

  it('fails when no test has the name that was asked for, or its report cannot be written', async (context) => {
    const none = await run(context, `${FILES}/passing.yml`, '--run', 'no such test');
    expect([none.code, none.text]).toEqual([
      1,
      expect.stringContaining('no test has a name that matches --run no such test'),
    ]);
    const report = join(folder, 'nowhere', 'junit.xml');
    const unwritten = await run(context, `${FILES}/passing.yml`, '--run', '^a restart', '--junit', report);
    expect(unwritten.code).toBe(1);
    expect(unwritten.text).toContain(`--junit ${report} cannot be written: ENOENT`);
  });

  it('agrees with promtool on every test of a file that both can read', async (context) => {
    const tool = await requireTool(context, 'prometheus');
    const { text } = await run(context, `${FILES}/promtool.yml`);
    const failed = [...text.matchAll(/^ {2}FAIL (.*) \(/gm)].map(([, name]) => name);
    const promtool = spawnSync(programOf(tool, 'promtool'), ['test', 'rules', `${FILES}/promtool.yml`], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const complaints =
      promtool.stderr.match(/name: fails on [^,\n]*|expr: "a \+ on \(\) b"|rule: Colliding, time: \d\w*/g) ?? [];
    expect([promtool.status, failed]).toEqual([
      1,
      [
        'fails on an alert that is missing',
        'fails on an alert that nobody expects',
        'fails on an annotation',
        'fails on a value that is nearly right',
        'fails on a rule that fails',
        'fails on a rule that fails though nothing is expected',
      ],
    ]);
    expect(new Set(complaints)).toEqual(
      new Set([
        'name: fails on an alert that is missing',
        'name: fails on an alert that nobody expects',
        'name: fails on an annotation',
        'expr: "a + on () b"',
        'rule: Colliding, time: 0s',
      ]),
    );
  });
});
