import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { freePort } from '../servers/free-port.ts';
import { isAlive } from '../servers/process-alive.ts';
import { requireTool } from '../servers/require-tool.ts';
import { ROOT } from '../servers/server.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

const FREE_PORTS = {
  EXPORTER_PORT: '0',
  PROMETHEUS_PORT: '0',
  ALERTMANAGER_PORT: '0',
  ENGINE_PORT: '0',
  NOTIFICATIONS_PORT: '0',
};
const HEALTH_PATHS: Readonly<Record<string, string>> = {
  exporter: '/metrics',
  Prometheus: '/-/ready',
  Alertmanager: '/-/ready',
  notifications: '/-/healthy',
  engine: '/-/healthy',
};

interface Started {
  readonly process: ChildProcess;
  readonly lines: readonly string[];
  /** Resolves when a line contains `text`. */
  saw(text: string): Promise<string>;
}

/** What `npm start` runs. */
async function startUp(context: TestContext, env: NodeJS.ProcessEnv): Promise<Started> {
  await requireTool(context, 'prometheus');
  await requireTool(context, 'alertmanager');
  const args = [join(ROOT, 'engine/cli/gpu-uptime.mjs'), 'up'];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...FREE_PORTS, GPU_SOURCE: 'mock', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => end(child));
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      for (const check of waiting) check();
    });
  }
  const saw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const line = lines.find((one) => one.includes(text));
        if (line !== undefined) resolve(line);
      };
      waiting.push(check);
      check();
      child.once('close', () => reject(new Error(`"${text}" was never printed:\n${lines.join('\n')}`)));
    });
  return { process: child, lines, saw };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** URL by title, from lines like `Prometheus     http://127.0.0.1:9090   2.42.0, pid 12`. */
function printedUrls(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines.flatMap((line) => [...line.matchAll(/^(\w+) +(http:\/\/\S+)/g)].map(([, name, url]) => [name, url])),
  );
}

function printedPids(lines: readonly string[]): readonly number[] {
  return lines.flatMap((line) => [...line.matchAll(/, pid (\d+)$/g)].map(([, pid]) => Number(pid)));
}

async function gone(pids: readonly number[]): Promise<readonly number[]> {
  const deadline = Date.now() + 10_000;
  while (pids.some(isAlive) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  return pids.filter(isAlive);
}

/** The exporter is an agent as well: as the guide registers one, and pinged within seconds. */
async function expectAgentPinged({ engine, exporter }: Readonly<Record<string, string>>): Promise<void> {
  const registered = await fetch(`${engine}/ping-system/agents/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      agent_id: 'agent-001',
      agent_url: exporter,
      capabilities: ['gpu-compute', 'image-generation'],
      metadata: { gpu_model: 'NVIDIA A100' },
    }),
  });
  expect([registered.status, await registered.json()]).toEqual([
    201,
    expect.objectContaining({ result: 'registered' }),
  ]);
  const history = async () => (await fetch(`${engine}/ping-system/agents/agent-001/history?hours=24`)).json();
  await expect.poll(history, { timeout: 10_000 }).toMatchObject({
    agent_id: 'agent-001',
    count: 1,
    pings: [{ sequence: 1, outcome: 'good', reason: 'first answer: the GPU is there' }],
  });
}

describe('gpu-uptime up', () => {
  it('brings everything up, says what runs where, and ends it all on Ctrl-C', { timeout: 120_000 }, async (context) => {
    const dataDir = temporaryDirectory();
    const started = await startUp(context, { DATA_DIR: dataDir });
    expect(await started.saw('first decision ready')).toMatch(
      /^first decision ready: text-to-image may run \(fleet \w+: .+\)$/,
    );
    const urls = printedUrls(started.lines);
    expect(started.lines.map((line) => line.trim())).toContain('8 simulated GPUs');
    expect(Object.keys(urls)).toEqual(['exporter', 'Prometheus', 'Alertmanager', 'notifications', 'engine']);
    for (const [name, url] of Object.entries(urls)) {
      expect([name, (await fetch(`${url}${HEALTH_PATHS[name]}`)).status]).toEqual([name, 200]);
    }
    expect(readFileSync(join(dataDir, 'logs/exporter.log'), 'utf8')).toContain('listening');
    await expectAgentPinged(urls);
    // Prometheus asks for agents before there is an engine, which is no news.
    expect(started.lines.filter((line) => line.includes('/sd/agents'))).toEqual([]);
    const pids = printedPids(started.lines);
    expect(pids).toHaveLength(4);
    started.process.kill('SIGINT');
    expect(await once(started.process, 'exit')).toEqual([0, null]);
    expect(await gone(pids)).toEqual([]);
    expect(started.lines.at(-1)).toBe('ended engine, alertmanager, prometheus, exporter');
  });

  it('says which part died, ends the others, and exits with 1', { timeout: 120_000 }, async (context) => {
    const started = await startUp(context, { DATA_DIR: temporaryDirectory() });
    await started.saw('engine ');
    const pids = printedPids(started.lines);
    process.kill(Number(/pid (\d+)/.exec(await started.saw('Alertmanager'))?.[1]), 'SIGKILL');
    expect(await started.saw('ended by itself')).toContain('alertmanager ended by itself (SIGKILL).');
    expect(await once(started.process, 'exit')).toEqual([1, null]);
    expect(await gone(pids)).toEqual([]);
  });

  it('cleans up at the next start after kill -9', { timeout: 120_000 }, async (context) => {
    const dataDir = temporaryDirectory();
    const killed = await startUp(context, { DATA_DIR: dataDir });
    await killed.saw('engine ');
    const [exporter = 0, prometheus = 0, alertmanager = 0, engine = 0] = printedPids(killed.lines);
    killed.process.kill('SIGKILL');
    // Our own parts notice by themselves; the other servers wait for the next start.
    expect(await gone([exporter, engine])).toEqual([]);
    const next = await startUp(context, { DATA_DIR: dataDir });
    await next.saw('engine ');
    expect(await gone([prometheus, alertmanager])).toEqual([]);
  });

  it('refuses a wrong setting in one sentence, before anything starts', async (context) => {
    const running = await startUp(context, { DATA_DIR: temporaryDirectory(), ENGINE_PORT: 'eight' });
    expect(await once(running.process, 'exit')).toEqual([1, null]);
    expect(running.lines).toEqual([
      'ENGINE_PORT is "eight"; set it to a port number from 1 to 65535, or to 0 for any free port.',
    ]);
  });

  it('refuses a second start on the same data', { timeout: 60_000 }, async (context) => {
    const dataDir = temporaryDirectory();
    const first = await startUp(context, { DATA_DIR: dataDir, EXPORTER_PORT: String(await freePort()) });
    await first.saw('exporter ');
    const second = await startUp(context, { DATA_DIR: dataDir });
    expect(await second.saw('already runs')).toContain(
      `gpu-uptime already runs on ${dataDir} (pid ${first.process.pid})`,
    );
    await first.saw('engine ');
  });
});
