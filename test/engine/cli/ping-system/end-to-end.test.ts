/** The command as a process of its own, against a real engine that pings real sockets. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { startEngine } from '../../../servers/engine.ts';
import { ROOT } from '../../../servers/server.ts';
import { temporaryDirectory } from '../../../servers/temporary-directory.ts';

const CLI = join(ROOT, 'engine/cli/gpu-uptime.mjs');
const POLICY = 'ping: { allow_loopback: true, base_interval: 3s, evidence: agent }\n';

/** An engine that may ping this machine, without Prometheus: agents are taken at their word. */
async function engine(env: NodeJS.ProcessEnv = {}): Promise<NodeJS.ProcessEnv> {
  const policyFile = join(temporaryDirectory(), 'policy.yml');
  writeFileSync(policyFile, POLICY);
  const nowhere = { PROMETHEUS_URL: 'http://127.0.0.1:1', ALERTMANAGER_URLS: '', RULE_FILES: '' };
  const server = await startEngine({ env: { POLICY_FILE: policyFile, ...nowhere, ...env } });
  onTestFinished(() => server.stop());
  return { ...process.env, ENGINE_URL: server.url };
}

interface Cli {
  readonly child: ChildProcess;
  /** All that it has printed. */
  readonly text: () => string;
  readonly code: Promise<number | null>;
}

function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Cli {
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const code = once(child, 'close').then(([status]) => status as number | null);
  return { child, text: () => text, code };
}

function pingSystem(env: NodeJS.ProcessEnv, ...args: readonly string[]): Cli {
  return start(process.execPath, [CLI, 'ping-system', ...args], env);
}

async function until(isSo: () => boolean, cli: Cli): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 50) {
    if (waitedMs > 20_000) throw new Error(`waited in vain:\n${cli.text()}`);
    await delay(50);
  }
}

function agents(env: NodeJS.ProcessEnv, ...args: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [CLI, 'agents', ...args], { env, encoding: 'utf8' });
  return { stdout, stderr, status };
}

describe('gpu-uptime ping-system and a real engine', { timeout: 60_000 }, () => {
  it('shows how the engine pings the test agents, and leaves none of them behind', async () => {
    const env = await engine();
    const cli = pingSystem(env, '--register-agents', '--dashboard-interval', '0.5');
    await until(() => /\n3 agents: .*good.*\n.*\nLast 24 hours: ([4-9]|\d\d) pings/.test(cli.text()), cli);
    const listed = JSON.parse(agents(env, 'list', '--json').stdout);
    expect(
      listed.agents.map((agent: { agent_id: string; metadata: object }) => [agent.agent_id, agent.metadata]),
    ).toEqual(
      ['test-agent-001', 'test-agent-002', 'test-agent-003'].map((id) => [
        id,
        { gpu_model: 'simulated test GPU', test: true },
      ]),
    );
    const shown = agents(env, 'show', 'test-agent-001');
    expect([shown.status, shown.stderr]).toEqual([0, '']);
    expect(shown.stdout).toMatch(/ {2}status {8}good\n/);
    expect(shown.stdout).toMatch(/\d+ pings? in the last 24 hours, the newest first:\n\nWHEN/);
    cli.child.kill('SIGINT');
    expect(await cli.code).toBe(0);
    expect(cli.text()).toMatch(/\n3 test agents were removed\.\n$/);
    expect(agents(env, 'list').stdout).toBe('No agent is registered.\n');
  });

  it('pings for an engine that leaves it to others', async () => {
    const env = await engine({ PING_SCHEDULER: 'off' });
    const cli = pingSystem(env, '--register-agents', '2', '--dashboard-interval', '0.5');
    await until(() => /This pings for the engine: .* ([2-9]|\d\d) done\.\n2 agents: 2 good\n/.test(cli.text()), cli);
    cli.child.kill('SIGTERM');
    expect(await cli.code).toBe(0);
    expect(agents(env, 'list').stdout).toBe('No agent is registered.\n');
  });

  it('removes its agents when nobody reads on', async () => {
    const env = await engine();
    const cli = pingSystem(env, '--register-agents', '--dashboard-interval', '0.2');
    await until(() => cli.text().includes('Test agents are registered'), cli);
    cli.child.stdout?.destroy();
    expect(await cli.code).toBe(0);
    expect(agents(env, 'list').stdout).toBe('No agent is registered.\n');
  });

  it('registers, pings, changes and removes an agent from the command line', async () => {
    const env = await engine({
      AGENT_REGISTRATION_TOKEN: 'a-registration-token',
      GPU_UPTIME_TOKEN: 'an-operators-token',
    });
    const registering = { ...env, AGENT_REGISTRATION_TOKEN: 'a-registration-token' };
    const one = ['register', '--id', 'mine', '--url', env.ENGINE_URL ?? '', '--metadata', 'gpu_model=RTX 4090'];
    expect(agents(env, ...one).stderr).toMatch(/ wants to know who asks: set GPU_UPTIME_TOKEN/);
    const { stdout, stderr } = agents(registering, ...one);
    expect(stderr).toMatch(/^mine is registered, and its first ping is due /);
    const owner = { ...registering, AGENT_TOKEN: stdout.trim() };
    expect(agents(owner, ...one, '--capability', 'x').stderr).toBe('mine was changed.\n');
    expect(agents(registering, 'remove', 'mine').status).toBe(1);
    const pinged = agents({ ...env, GPU_UPTIME_TOKEN: 'an-operators-token' }, 'ping', 'mine');
    // An engine is no agent, and says so.
    expect([pinged.status, pinged.stdout.split('\n')[0]]).toEqual([1, expect.stringMatching(/^mine: .*answers 404/)]);
    expect(agents(owner, 'remove', 'mine')).toEqual({ stdout: 'mine was removed.\n', stderr: '', status: 0 });
  });

  it('draws on a real terminal, and gives it back at Ctrl-C', async (context) => {
    requireScript(context);
    const env = await engine();
    const command = `stty rows 24 columns 80; exec '${process.execPath}' '${CLI}' ping-system --dashboard-interval 1`;
    const cli = start('script', ['-qec', command, '/dev/null'], { ...env, TERM: 'xterm', NO_COLOR: '1' });
    await until(() => cli.text().split('Agents of ').length > 3, cli);
    cli.child.stdin?.write('\u0003');
    expect(await cli.code).toBe(0);
    expect(cli.text()).toContain('\u001b[?1049h\u001b[?25l\u001b[?2026h\u001b[HAgents of http://127.0.0.1:');
    expect(cli.text().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });
});

function requireScript(context: TestContext): void {
  if (spawnSync('script', ['--version']).status === 0) return;
  const sentence = 'the program script (of util-linux) is needed for this test';
  if (process.env.CI) throw new Error(sentence);
  console.warn(`SKIPPED: ${sentence}`);
  context.skip(sentence);
}
